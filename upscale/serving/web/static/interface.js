// Shows the OpenAPI document of this server as tables.
const told = await (await fetch("/api/openapi.json")).json();
const main = document.getElementById("requests");
const token = told.security ? ' -H "Authorization: Bearer $UPSCALE_TOKEN"' : "";

document.getElementById("curl").textContent =
  `id=$(curl -s${token} -F picture=@photo.jpg -F scale=2 ${location.origin}/api/upscale | jq -r .id)\n` +
  `curl -OJ${token} "${location.origin}/api/jobs/$id/result?wait=600"`;

function make(kind, text, parent = main) {
  const element = parent.appendChild(document.createElement(kind));
  element.textContent = text;
  return element;
}

function table(titles, rows) {
  const made = make("table", "");
  const head = make("tr", "", make("thead", "", made));
  for (const title of titles) make("th", title, head).scope = "col";
  const body = make("tbody", "", made);
  for (const row of rows) {
    const line = make("tr", "", body);
    row.forEach((cell, index) => {
      const made = make(index ? "td" : "th", cell, line);
      if (!index) made.scope = "row";
    });
  }
}

for (const [path, methods] of Object.entries(told.paths)) {
  for (const [method, request] of Object.entries(methods)) {
    make("h2", `${method.toUpperCase()} ${path}`);
    make("p", request.summary);
    const form = request.requestBody?.content["multipart/form-data"].schema;
    const words = [
      ...(request.parameters ?? []).map((each) => [each.name, each.schema.type, `in the ${each.in}`, each.description ?? ""]),
      ...Object.entries(form?.properties ?? {}).map(([name, each]) => [name, each.type, String(each.default ?? ""), each.description]),
    ];
    if (words.length) table(["Name", "Kind", "Default", "Description"], words);
    table(["Status", "Meaning"], Object.entries(request.responses).map(([status, each]) => [status, each.description]));
  }
}
