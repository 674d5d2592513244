// One job: its pictures go to the server, its progress and its results come back.
import { ask, complain, get, megabytes } from "./ask.js";

const OFTEN = 500; // milliseconds between questions

function duration(seconds) {
  if (seconds < 90) return `${Math.ceil(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 90 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

export class Job {
  constructor(words) {
    Object.assign(this, { words, id: null, running: false, cancelled: false, sending: null });
    get("cancel").addEventListener("click", () => this.cancel());
    get("compare-close").addEventListener("click", () => this.closeCompare());
    addEventListener("pagehide", () => {
      if (this.id) fetch(`/api/jobs/${this.id}`, { method: "DELETE", keepalive: true });
    });
  }

  async start(files) {
    this.forget();
    this.running = true;
    this.cancelled = false;
    get("job").hidden = get("running").hidden = false;
    get("ended").hidden = true;
    this.say("Sending", 0);
    get("job").scrollIntoView({ block: "nearest" });
    try {
      const told = await this.send(files);
      this.id = told.id;
      await this.follow(told);
    } catch (error) {
      if (!this.cancelled) complain(error);
      if (!this.id) get("job").hidden = true;
    }
    this.running = false;
    get("running").hidden = true;
    document.dispatchEvent(new Event("job-ended"));
  }

  // XMLHttpRequest, since fetch does not say how much has been sent.
  send(files) {
    const body = new FormData(), request = new XMLHttpRequest();
    for (const [name, word] of Object.entries({ ...this.words(), attended: "true" })) body.append(name, word);
    for (const file of files) body.append("picture", file, file.name);
    this.sending = request;
    return new Promise((done, failed) => {
      request.upload.addEventListener("progress", ({ loaded, total }) => this.say("Sending", loaded / total));
      request.addEventListener("abort", () => failed(new Error("stopped")));
      request.addEventListener("error", () => failed(new Error("The server does not answer, or refuses so much data.")));
      request.addEventListener("load", () => {
        let told = null;
        try { told = JSON.parse(request.responseText); } catch { /* no JSON: the status says it */ }
        if (request.status === 202) done(told);
        else failed(new Error(told?.error?.message ?? `The server answers with status ${request.status}.`));
      });
      request.open("POST", "/api/upscale");
      request.send(body);
    }).finally(() => { this.sending = null; });
  }

  async follow(told) {
    while (this.show(told)) {
      await new Promise((done) => setTimeout(done, OFTEN));
      if (!this.id) return;
      told = await (await ask(`/api/jobs/${this.id}`)).json();
    }
  }

  // Returns whether there is more to come.
  show(told) {
    const { state, pictures } = told;
    const made = pictures.filter((each) => each.state === "done").length;
    if (state === "waiting") this.say(told.ahead ? `Waiting: ${told.ahead} before this one` : "Waiting", 0);
    else if (state === "fetching") this.say("Fetching the model", told.share);
    else if (state === "working") {
      const left = told.seconds_left === null ? "" : `, ${duration(told.seconds_left)} left`;
      this.say(`${made} of ${pictures.length} made${left}`, told.share);
    }
    get("notes").replaceChildren(...told.notes.map((text) => {
      const item = document.createElement("li");
      item.textContent = text;
      return item;
    }));
    this.list(pictures);
    if (["waiting", "fetching", "working"].includes(state)) return true;
    if (told.error) complain(new Error(told.error.message));
    get("all").hidden = made < 2;
    get("all").href = told.urls.result;
    get("ended").hidden = false;
    get("title-job").focus();
    return false;
  }

  list(pictures) {
    const rows = get("results");
    pictures.forEach((picture, index) => {
      const row = rows.children[index] ?? rows.appendChild(document.createElement("li"));
      if (row.dataset.state === picture.state) return;
      row.dataset.state = picture.state;
      const name = document.createElement("span"), small = document.createElement("small");
      name.className = "name";
      name.append(picture.output ?? picture.name, small);
      row.replaceChildren(name);
      if (picture.state === "done") {
        const { width, height, output_width, output_height, bytes, seconds, model, reason } = picture;
        const why = reason ? ` (${reason})` : "";
        small.textContent = `${width} × ${height} → ${output_width} × ${output_height}, ${megabytes(bytes)}, ${seconds.toFixed(1)} s, ${model}${why}`;
        for (const warning of picture.warnings) {
          const line = document.createElement("small");
          line.textContent = warning;
          name.append(line);
        }
        const link = document.createElement("a"), look = document.createElement("button");
        Object.assign(link, { className: "button", href: picture.urls.result, download: "", textContent: "Download" });
        link.setAttribute("aria-label", `Download ${picture.output}`);
        Object.assign(look, { type: "button", textContent: "Compare" });
        look.setAttribute("aria-label", `Compare ${picture.name} before and after`);
        look.addEventListener("click", () => this.compare(picture.urls.compare));
        row.append(look, link);
      } else {
        small.textContent = picture.error?.message ?? { waiting: "waits", working: "is being made", cancelled: "cancelled" }[picture.state];
        small.classList.toggle("fault", Boolean(picture.error));
      }
    });
  }

  async compare(address) {
    complain(null);
    try {
      await ask(address, { method: "HEAD" });
    } catch (error) {
      return complain(error.message.startsWith("The server says")
        ? new Error("These pictures cannot be compared: their shapes differ, or they are too large.") : error);
    }
    get("compare-page").src = get("compare-alone").href = address;
    get("compare").hidden = false;
    get("title-compare").focus();
    get("compare").scrollIntoView();
  }

  closeCompare() {
    get("compare").hidden = true;
    get("compare-page").removeAttribute("src");
    get("title-job").focus();
  }

  say(text, share) {
    if (get("job-says").textContent !== text) get("job-says").textContent = text;
    get("bar").value = share;
  }

  cancel() {
    this.cancelled = true;
    this.sending?.abort();
    this.forget();
    get("start").focus();
  }

  // The results go with it.
  forget() {
    if (this.id) ask(`/api/jobs/${this.id}`, { method: "DELETE" }).catch(() => {});
    this.id = null;
    get("job").hidden = true;
    get("results").replaceChildren();
    get("notes").replaceChildren();
    if (!get("compare").hidden) this.closeCompare();
  }
}
