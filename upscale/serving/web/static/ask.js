// What all parts of the page do: find an element, ask the server, say what is wrong.

export const get = (id) => document.getElementById(id);

export function megabytes(bytes) {
  return bytes < 1e5 ? `${Math.ceil(bytes / 1e3)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

// Ask the server; an error that it names is thrown with its sentence.
export async function ask(path, options) {
  let answer;
  try {
    answer = await fetch(path, options);
  } catch {
    throw new Error("The server does not answer. Is it still running?");
  }
  if (answer.ok) return answer;
  const told = await answer.json().catch(() => null);
  const error = new Error(told?.error?.message ?? `The server answers with status ${answer.status}.`);
  error.status = answer.status;
  throw error;
}

export function complain(error) {
  get("fault").textContent = error ? error.message : "";
  get("fault").hidden = !error;
}
