// The form: which pictures, which model, which size; what it says goes to the server as it stands.
import { ask, complain, get, megabytes } from "./ask.js";
import { Crop } from "./crop.js";
import { Job } from "./job.js";

const form = get("work"), alpha = get("alpha"), others = get("others");

let models = [], limits = {}, files = [], touched = false;

// What the form says, by the names of the interface for programs.
function words() {
  const data = new FormData(form), found = { model: chosen().name };
  if (touched && !alpha.disabled) found.alpha = alpha.value;
  const by = data.get("by");
  if (by === "size") Object.assign(found, { size: `${data.get("width")}x${data.get("height")}`, fit: data.get("fit") });
  for (const name of [by === "size" ? "" : by, "format", "quality", "back_project", "tile", "overlap", "device", "precision"]) {
    if (data.get(name)) found[name] = data.get(name);
  }
  for (const name of ["strip", "lossless", "to_srgb", "wrap", "tta"]) {
    if (data.get(name)) found[name] = "true";
  }
  return found;
}

function chosen() {
  const name = others.value || form.querySelector("[name=model]:checked")?.value;
  return models.find((each) => each.name === name) ?? models[0];
}

const crop = new Crop(words, chosen);
const job = new Job(words);

function about(model) {
  return [model.name, model.licence, model.here ? "on this machine" : `${megabytes(model.bytes)} to fetch`].join(" · ");
}

function showModels() {
  const kept = chosen()?.name;
  get("models").replaceChildren();
  others.replaceChildren(new Option("–", ""));
  for (const model of models) {
    if (!model.main) {
      others.add(new Option(`${model.name}: ${model.words}`, model.name));
      continue;
    }
    const row = document.createElement("label"), radio = document.createElement("input");
    row.className = "model";
    Object.assign(radio, { type: "radio", name: "model", value: model.name, checked: model.name === kept });
    const text = document.createElement("span"), small = document.createElement("small");
    text.textContent = model.words;
    small.textContent = about(model);
    row.append(radio, text, small);
    get("models").append(row);
  }
  others.value = models.find((each) => each.name === kept && !each.main) ? kept : "";
  modelChanged();
}

function modelChanged() {
  const model = chosen();
  get("about-other").textContent = others.value ? about(model) : "";
  alpha.disabled = !model.blends;
  if (!touched) alpha.value = model.alpha ?? 1;
  get("alpha-why").textContent = model.blends
    ? "Faithful invents nothing and is softer; crisp draws texture that may not have been there."
    : "This model has no such setting.";
  sayAlpha();
  crop.renew();
}

function sayAlpha() {
  const own = !touched && chosen().blends;
  get("alpha-says").textContent = alpha.disabled ? "" : `${Number(alpha.value).toFixed(2)}${own ? " (the usual)" : ""}`;
}

function showFiles() {
  const list = get("chosen");
  list.replaceChildren();
  files.forEach((file, index) => {
    const item = document.createElement("li"), name = document.createElement("span");
    const remove = document.createElement("button"), look = document.createElement("button");
    name.className = "name";
    name.textContent = `${file.name} · ${megabytes(file.size)}`;
    Object.assign(look, { type: "button", textContent: "Crop" });
    look.setAttribute("aria-label", `Show a crop of ${file.name}`);
    look.addEventListener("click", () => crop.show(file));
    Object.assign(remove, { type: "button", textContent: "✕" });
    remove.setAttribute("aria-label", `Leave out ${file.name}`);
    remove.addEventListener("click", () => {
      files.splice(index, 1);
      showFiles();
      get("files").focus();
    });
    item.append(name, ...(files.length > 1 ? [look] : []), remove);
    list.append(item);
  });
  get("start").disabled = !files.length || job.running;
  if (!files.includes(crop.file)) crop.show(files[0] ?? null);
}

function add(more) {
  complain(null);
  const all = [...files, ...more];
  const bytes = all.reduce((sum, file) => sum + file.size, 0);
  if (bytes > limits.bytes) return complain(new Error(`These pictures have ${megabytes(bytes)}; the server accepts ${megabytes(limits.bytes)} at once.`));
  if (all.length > limits.pictures) return complain(new Error(`The server accepts ${limits.pictures} pictures at once.`));
  files = all;
  showFiles();
}

get("files").addEventListener("change", () => {
  add([...get("files").files]);
  get("files").value = "";
});
const zone = get("zone");
for (const kind of ["dragover", "dragleave", "drop"]) {
  document.addEventListener(kind, (event) => {
    event.preventDefault();
    zone.classList.toggle("over", kind === "dragover");
    if (kind === "drop") add([...event.dataTransfer.files]);
  });
}

form.addEventListener("change", (event) => {
  if (event.target === others || event.target.name === "model") {
    if (event.target !== others) others.value = "";
    for (const radio of form.querySelectorAll("[name=model]")) radio.checked = radio.value === chosen().name;
    modelChanged();
  } else if (["tta", "back_project", "device", "precision"].includes(event.target.name)) crop.renew();
  const { name } = event.target;
  const by = name === "width" || name === "height" || name === "fit" ? "size" : name;
  const radio = form.querySelector(`[name=by][value="${by}"]`);
  if (radio) radio.checked = true;
});
alpha.addEventListener("input", () => {
  touched = true;
  sayAlpha();
  crop.renew();
});
form.addEventListener("submit", (event) => {
  event.preventDefault();
  if (!files.length || job.running) return;
  complain(null);
  get("start").disabled = true;
  job.start(files);
});
document.addEventListener("job-ended", async () => {
  get("start").disabled = !files.length;
  await load().catch(complain);
});
get("again").addEventListener("click", () => {
  job.forget();
  files = [];
  showFiles();
  get("files").focus();
});

async function load() {
  const told = await (await ask("/api/about")).json();
  models = told.models;
  limits = told.limits;
  showModels();
}

async function begin() {
  try {
    await load();
    get("login").hidden = true;
    form.hidden = false;
  } catch (error) {
    get("login").hidden = error.status !== 401;
    if (error.status === 401) get("token").focus();
    else complain(error);
  }
}

get("login").addEventListener("submit", async (event) => {
  event.preventDefault();
  complain(null);
  try {
    const body = JSON.stringify({ token: get("token").value });
    await ask("/api/login", { method: "POST", body, headers: { "Content-Type": "application/json" } });
    await begin();
  } catch (error) {
    complain(error);
  }
});

begin();
