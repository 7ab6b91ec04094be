"use strict";
// The page as a whole: the visitor's files, and which one is at hand.

const kept = new Map(); // what is set for each file, until the page is closed
let files = [], chosen = null, session = null;

function showTab(name) {
  for (const tab of ["files", "queue"]) {
    find(`${tab}-part`).hidden = tab !== name;
    if (tab === name) find(`tab-${tab}`).setAttribute("aria-current", "page");
    else find(`tab-${tab}`).removeAttribute("aria-current");
  }
}
function keptOf(id) {
  if (!kept.has(id)) kept.set(id, {});
  return kept.get(id);
}
async function refreshFiles() {
  files = await ask("GET", "/files");
  drawFiles();
}
function drawFiles() {
  const list = find("files");
  const sending = [...list.querySelectorAll(".sending")];
  list.replaceChildren(...files.map(file => {
    const item = make("li"), open = make("button", {type: "button", class: "file"});
    if (file.id === chosen) open.setAttribute("aria-current", "true");
    open.append(make("span", {class: `kind ${file.kind}`, "aria-hidden": "true"}, file.kind === "video" ? "▶" : "◧"), make("span", {class: "file-name"}, file.name), make("span", {class: "hint"}, file.words));
    open.addEventListener("click", () => choose(file.id));
    const remove = does(make("button", {type: "button", class: "quiet remove", "aria-label": `Remove ${file.name}`}, "×"), async () => {
      await ask("DELETE", `/files/${file.id}`);
      if (chosen === file.id) chosen = null;
      await refreshFiles();
      if (!chosen) drawWork();
    });
    item.append(open, remove);
    return item;
  }), ...sending);
}
function choose(id) {
  chosen = id;
  history.replaceState(null, "", `#${id}`);
  drawFiles();
  drawWork();
}
function drawWork() {
  const file = files.find(each => each.id === chosen), host = find("work");
  if (!file) {
    const intro = make("div", {class: "intro"});
    intro.append(make("h1", {}, "Restore the faces, leave the rest as it is"),
      make("p", {}, "Drop a video or a photo. See who is in it, set how far each face is restored, look before and after, then render."),
      make("p", {class: "hint"}, "What you bring is seen by nobody else, and is removed from the server when you remove it, or do not come back for a week."));
    host.replaceChildren(intro);
    return;
  }
  (file.kind === "video" ? videoWork : photoWork)(file, host, keptOf(file.id));
  drawJobs();
}
// The faces of a video have been found.
async function found_faces(id) {
  await refreshFiles();
  if (chosen === id) drawWork();
}
async function send(list) {
  for (const file of list) {
    const item = make("li", {class: "sending"}), bar = make("progress", {max: 1, value: 0, "aria-label": `Sending ${file.name}`});
    item.append(make("span", {class: "file-name"}, file.name), bar);
    find("files").append(item);
    try {
      if (file.size > session.most_bytes) throw new Error(`it is larger than ${sized(session.most_bytes)}`);
      const taken = await upload(file, done => { bar.value = done; });
      item.remove();
      await refreshFiles();
      if (!chosen) choose(taken.id);
    } catch (error) {
      item.remove();
      say(`${file.name}: ${error.message}`, "error");
    }
  }
}
async function listFolder(number, path) {
  const found = await ask("GET", `/folders?${new URLSearchParams({folder: number, path})}`);
  find("folder-path").textContent = `${session.folders[number]}/${found.path === "." ? "" : found.path}`;
  const go = (text, where, action) => {
    const item = make("li"), button = does(make("button", {type: "button"}, text), action);
    item.append(button);
    if (where) item.append(make("span", {class: "hint"}, where));
    return item;
  };
  const inside = name => found.path === "." ? name : `${found.path}/${name}`;
  const up = found.path === "." ? (session.folders.length > 1 ? [go("← other folders", "", listFolders)] : [])
    : [go("← back", "", () => listFolder(number, found.path.split("/").slice(0, -1).join("/")))];
  find("folder-list").replaceChildren(...up, ...found.entries.map(entry => entry.folder
    ? go(`${entry.name}/`, "", () => listFolder(number, inside(entry.name)))
    : go(entry.name, sized(entry.size), async () => {
      const file = await ask("POST", "/files/open", {folder: number, path: inside(entry.name)});
      find("folder").close();
      await refreshFiles();
      choose(file.id);
    })));
}
function listFolders() {
  if (session.folders.length === 1) return listFolder(0, "");
  find("folder-path").textContent = "";
  find("folder-list").replaceChildren(...session.folders.map((name, number) => {
    const item = make("li");
    item.append(does(make("button", {type: "button"}, `${name}/`), () => listFolder(number, "")));
    return item;
  }));
}

find("tab-files").addEventListener("click", () => showTab("files"));
find("tab-queue").addEventListener("click", () => showTab("queue"));
find("pick").addEventListener("change", () => { send([...find("pick").files]); find("pick").value = ""; });
const drop = find("drop");
for (const name of ["dragover", "dragenter"]) document.addEventListener(name, event => { event.preventDefault(); drop.classList.add("over"); });
document.addEventListener("dragleave", event => { if (!event.relatedTarget) drop.classList.remove("over"); });
document.addEventListener("drop", event => { event.preventDefault(); drop.classList.remove("over"); send([...event.dataTransfer.files]); });
for (const button of document.querySelectorAll("dialog .close")) button.addEventListener("click", () => button.closest("dialog").close());
find("report").addEventListener("close", () => find("report-frame").removeAttribute("src"));
does(find("browse"), async () => { await listFolders(); find("folder").showModal(); });
does(find("leave"), async () => {
  if (!confirm("Remove all your files and results from the server? What runs is cancelled.")) return;
  await ask("DELETE", "/session");
  location.replace("/");
});
(async () => {
  try {
    [session, options] = await Promise.all([ask("GET", "/session"), ask("GET", "/options")]);
    find("limit").textContent = `Up to ${sized(session.most_bytes)} together`;
    find("in-place").hidden = !session.folders.length;
    await refreshFiles();
    await refreshJobs();
    const wanted = location.hash.slice(1);
    if (files.some(file => file.id === wanted)) choose(wanted);
    else if (files.length) choose(files[files.length - 1].id);
    else drawWork();
  } catch (error) { say(error.message, "error"); }
})();
