"use strict";
// Requests to the server. Names of files and messages reach the document as text only.
const csrf = document.querySelector("meta[name=csrf]").content;
const find = id => document.getElementById(id);

async function ask(method, path, body) {
  const headers = {"X-CSRF-Token": csrf};
  if (body !== undefined) headers["Content-Type"] = "application/json";
  let answer;
  try {
    answer = await fetch(`/api${path}`, {method, headers, body: body === undefined ? undefined : JSON.stringify(body)});
  } catch {
    throw new Error("The server does not answer.");
  }
  const found = await answer.json().catch(() => ({error: `The server answered ${answer.status}.`}));
  if (answer.status === 401) throw new Error("The server no longer knows this browser. Reload the page to begin anew.");
  if (!answer.ok) throw new Error(found.error);
  return found;
}
// Say something in a line at the top, for a while.
let silence = 0;
function say(text, kind = "info") {
  const line = find("said");
  line.textContent = text;
  line.className = kind;
  clearTimeout(silence);
  silence = setTimeout(() => { line.textContent = ""; line.className = ""; }, kind === "error" ? 12000 : 5000);
}
// What a button does, with its error said and the button off meanwhile.
function does(button, action) {
  button.addEventListener("click", async () => {
    button.disabled = true;
    try { await action(); } catch (error) { say(error.message, "error"); }
    button.disabled = false;
  });
  return button;
}
// Send a file; ``progress`` is called with the share that has been sent.
function upload(file, progress) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", `/api/files?name=${encodeURIComponent(file.name)}`);
    request.setRequestHeader("X-CSRF-Token", csrf);
    request.upload.onprogress = event => event.lengthComputable && progress(event.loaded / event.total);
    request.onload = () => {
      let found = {};
      try { found = JSON.parse(request.responseText); } catch { /* said below */ }
      request.status === 201 ? resolve(found) : reject(new Error(found.error || `The server answered ${request.status}.`));
    };
    request.onerror = () => reject(new Error("It could not be sent; it may be larger than the server takes."));
    request.send(file);
  });
}
function sized(bytes) {
  return bytes >= 1e9 ? `${(bytes / 1e9).toFixed(1)} GB` : bytes >= 1e6 ? `${(bytes / 1e6).toFixed(1)} MB` : `${Math.max(1, Math.round(bytes / 1e3))} kB`;
}
// Seconds in words, for what is left.
function lasting(seconds) {
  if (seconds < 60) return `${Math.max(1, Math.round(seconds))} s`;
  if (seconds < 3600) return `${Math.round(seconds / 60)} min`;
  return `${Math.floor(seconds / 3600)} h ${Math.round(seconds % 3600 / 60)} min`;
}
