// A part of a picture, cut here and enlarged by the server: to choose a model and a blend by eye.
import { ask, get } from "./ask.js";

const OVERVIEW = 260; // CSS pixels of the longer side

export class Crop {
  constructor(words, chosen) {
    Object.assign(this, { words, chosen, file: null, picture: null, x: 0.5, y: 0.5, busy: false, stale: false });
    const overview = get("overview");
    const move = (event) => {
      if (event.type === "pointermove" && !event.buttons) return;
      const box = overview.getBoundingClientRect();
      this.x = (event.clientX - box.left) / box.width;
      this.y = (event.clientY - box.top) / box.height;
      this.renew();
    };
    overview.addEventListener("pointerdown", (event) => {
      overview.setPointerCapture(event.pointerId);
      move(event);
    });
    overview.addEventListener("pointermove", move);
    overview.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
      if (!step) return;
      event.preventDefault();
      const { width, height, side } = this.box();
      this.x += (step[0] * side) / 4 / width;
      this.y += (step[1] * side) / 4 / height;
      this.renew();
    });
    get("wipe").addEventListener("input", () => this.wipe());
    this.wipe();
  }

  wipe() {
    get("after").style.clipPath = `inset(0 0 0 ${get("wipe").value}%)`;
  }

  say(text) {
    get("crop-says").textContent = text;
  }

  async show(file) {
    this.file = file;
    this.picture?.close();
    this.picture = null;
    get("crop-parts").hidden = true;
    if (!file) return this.say("Choose a picture to see a part of it here.");
    try {
      const picture = await createImageBitmap(file);
      if (this.file !== file) return picture.close();
      this.picture = picture;
    } catch {
      if (this.file === file) this.say(`The browser cannot show ${file.name}, but upscale can enlarge it.`);
      return;
    }
    get("crop-parts").hidden = false;
    Object.assign(this, { x: 0.5, y: 0.5 });
    this.renew();
  }

  // The crop in pixels of the picture.
  box() {
    const { width, height } = this.picture, side = Math.min(this.chosen().crop, width, height);
    const left = Math.max(0, Math.min(width - side, Math.round(this.x * width - side / 2)));
    const top = Math.max(0, Math.min(height - side, Math.round(this.y * height - side / 2)));
    this.x = (left + side / 2) / width;
    this.y = (top + side / 2) / height;
    return { width, height, side, left, top };
  }

  draw() {
    const { width, height, side, left, top } = this.box();
    const before = get("before"), overview = get("overview");
    before.width = before.height = side;
    before.getContext("2d").drawImage(this.picture, left, top, side, side, 0, 0, side, side);
    // A result's pixel is one of the page, or a whole number of them.
    get("stage").style.width = `${side * 4 * Math.max(1, Math.floor(512 / (side * 4)))}px`;
    const scale = OVERVIEW / Math.max(width, height);
    overview.width = Math.max(1, Math.round(width * scale));
    overview.height = Math.max(1, Math.round(height * scale));
    const context = overview.getContext("2d");
    context.drawImage(this.picture, 0, 0, overview.width, overview.height);
    const square = [left * scale, top * scale, side * scale, side * scale];
    for (const [style, width] of [["#000", 4], ["#fff", 2]]) {
      Object.assign(context, { strokeStyle: style, lineWidth: width });
      context.strokeRect(...square);
    }
  }

  // Ask for the crop as the form stands; while one is made, only the newest wish is remembered.
  async renew() {
    if (!this.picture) return;
    this.draw();
    if (this.busy) return void (this.stale = true);
    if (!this.chosen().here) {
      get("after").removeAttribute("src");
      return this.say(`${this.chosen().name} is fetched with the first job; after that a crop can be seen here.`);
    }
    this.busy = true;
    if (!get("after").src) this.say("Enlarging the crop.");
    get("stage").classList.add("waiting");
    try {
      const crop = await new Promise((done) => get("before").toBlob(done, "image/png"));
      const body = new FormData();
      const { model, alpha, tta, back_project, device, precision } = this.words();
      for (const [name, word] of Object.entries({ model, alpha, tta, back_project, device, precision })) {
        if (word) body.append(name, word);
      }
      body.append("picture", crop, "crop.png");
      const answer = await ask("/api/preview", { method: "POST", body });
      const image = get("after"), old = image.src;
      image.src = URL.createObjectURL(await answer.blob());
      if (old) URL.revokeObjectURL(old);
      await image.decode();
      const blend = answer.headers.get("X-Alpha");
      this.say(`${answer.headers.get("X-Model")}${blend && `, blend ${blend}`}, made in ${answer.headers.get("X-Seconds")} s`);
    } catch (error) {
      this.say(error.message);
    }
    this.busy = false;
    get("stage").classList.remove("waiting");
    if (this.stale) {
      this.stale = false;
      this.renew();
    }
  }
}
