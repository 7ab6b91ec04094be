"use strict";
// The queue: what runs, how far it is, and what came of it.

const STATES = {waiting: "waiting", running: "running", pausing: "pausing", paused: "paused", cancelling: "cancelling", cancelled: "cancelled", done: "done", failed: "failed"};
let jobs = [], asked = 0, listening = null;

async function refreshJobs() {
  clearTimeout(listening);
  const number = ++asked;
  try {
    const found = await ask("GET", "/jobs");
    if (number !== asked) return;
    const before = new Map(jobs.map(job => [job.id, job.state]));
    jobs = found.jobs;
    find("others").textContent = found.others ? `${found.others === 1 ? "1 job of another visitor takes" : `${found.others} jobs of other visitors take`} turns with yours.` : "";
    drawJobs();
    for (const job of jobs)
      if (job.kind === "analyze" && job.state === "done" && before.has(job.id) && before.get(job.id) !== "done") found_faces(job.file);
  } catch (error) {
    if (number !== asked) return;
    say(error.message, "error");
  }
  const active = jobs.some(job => ["waiting", "running", "pausing", "cancelling"].includes(job.state));
  listening = setTimeout(refreshJobs, active ? 700 : 5000);
}
function share(job) {
  const {frames, of} = job.progress;
  return job.state === "done" ? 1 : of ? Math.min(1, frames / of) : 0;
}
function standing(job) {
  const told = job.progress;
  if (job.state === "failed") return told.error || "It failed.";
  const counted = (count, noun) => `${count} ${noun}${count === 1 ? "" : "s"}`;
  if (job.state === "done") return [told.frames ? counted(told.frames, "frame") : "", counted(told.faces ?? 0, "face"), told.seconds ? `in ${lasting(told.seconds)}` : "", told.model && job.kind === "restore" ? `with ${told.model}` : ""].filter(Boolean).join(", ");
  if (job.state !== "running") return told.frames ? `${told.frames} of ${told.of ?? "?"} frames` : "";
  if (told.frames === undefined) return job.messages.map(([, text]) => text).findLast(text => text.startsWith("Downloading ")) ?? "loading the models";
  if (told.of && told.frames >= told.of) return `${counted(told.frames, "frame")}, finishing`;
  const left = told.seconds_left === null || told.seconds_left === undefined ? "" : `, ${lasting(told.seconds_left)} left`;
  return `${told.frames}${told.of ? ` of ${told.of}` : ""} frames${left}`;
}
function progressBar(job) {
  const box = make("div", {class: "progress"});
  const bar = make("progress", {max: 1, "aria-label": `Progress of ${job.name}`});
  if (job.state !== "running" || job.progress.of) bar.value = share(job);
  const text = standing(job);
  box.append(bar, make("span", {class: "hint"}, text ? `${STATES[job.state]}: ${text}` : STATES[job.state]));
  return box;
}
function jobItem(job) {
  const item = make("li", {class: `job ${job.state}`, "data-job": job.id});
  const title = make("div", {class: "job-title"});
  title.append(make("strong", {}, job.kind === "analyze" ? `Faces of ${job.name}` : job.name), make("span", {class: `badge ${job.state}`}, STATES[job.state]));
  item.append(title);
  const set = Object.entries(job.options).map(([name, value]) => `${name.replaceAll("_", " ")} ${value}`).join(", ");
  if (set) item.append(make("p", {class: "hint"}, set));
  if (["running", "pausing", "paused", "cancelling"].includes(job.state)) item.append(progressBar(job));
  else if (job.state !== "waiting") item.append(make("p", {class: job.state === "failed" ? "wrong" : "hint"}, standing(job)));
  const warned = job.messages.filter(([level]) => level === "warning").map(([, text]) => text);
  if (warned.length) {
    const fold = make("details", {class: "fold small"});
    fold.append(make("summary", {}, warned.length === 1 ? "1 note" : `${warned.length} notes`), ...warned.map(text => make("p", {class: "hint"}, text)));
    item.append(fold);
  }
  const actions = make("div", {class: "actions"});
  const verb = (text, name) => actions.append(does(make("button", {type: "button"}, text), async () => { await ask("POST", `/jobs/${job.id}/${name}`); await refreshJobs(); }));
  if (job.result) actions.append(make("a", {class: "button main", href: `/api/jobs/${job.id}/result`, download: ""}, "Download"));
  if (job.report) {
    const open = make("button", {type: "button"}, "Report");
    open.addEventListener("click", () => openReport(job));
    actions.append(open);
  }
  if (job.kind === "restore" && ["waiting", "running"].includes(job.state)) verb("Pause", "pause");
  if (job.state === "paused") verb("Go on", "retry");
  if (["failed", "cancelled"].includes(job.state)) verb("Retry", "retry");
  if (["waiting", "running", "paused"].includes(job.state)) verb("Cancel", "cancel");
  if (["done", "failed", "cancelled", "paused"].includes(job.state))
    actions.append(does(make("button", {type: "button", class: "quiet"}, "Remove"), async () => { await ask("DELETE", `/jobs/${job.id}`); await refreshJobs(); }));
  item.append(actions);
  return item;
}
// Draw only what has changed: a list that is drawn anew loses the focus and open folds.
const drawn = new Map();
function drawList(host, wanted) {
  const key = JSON.stringify(wanted);
  if (drawn.get(host) === key) return;
  const old = new Map([...host.children].map(item => [item.dataset.job, item]));
  host.replaceChildren(...wanted.map(job => {
    const item = old.get(job.id), state = JSON.stringify(job);
    if (item && item.state === state) return item;
    const next = jobItem(job);
    next.state = state;
    if (item && item.contains(document.activeElement)) {
      const text = document.activeElement.textContent;
      queueMicrotask(() => [...next.querySelectorAll("button, a, summary")].find(each => each.textContent === text)?.focus());
    }
    if (item?.querySelector("details")?.open && next.querySelector("details")) next.querySelector("details").open = true;
    return next;
  }));
  drawn.set(host, key);
}
function drawJobs() {
  const active = jobs.filter(job => ["waiting", "running", "pausing", "cancelling"].includes(job.state)).length;
  find("queue-count").textContent = active;
  find("queue-count").hidden = !active;
  find("tab-queue").setAttribute("aria-label", active ? `Queue, ${active} at work` : "Queue");
  drawList(find("jobs"), [...jobs].reverse());
  if (!jobs.length) find("jobs").replaceChildren(make("li", {class: "hint"}, "Nothing is in the queue."));
  for (const host of document.querySelectorAll(".own-jobs"))
    drawList(host, jobs.filter(job => job.file === host.dataset.file && job.kind === "restore").reverse().slice(0, 3));
  showFinding(jobs);
}
function openReport(job) {
  find("report-title").textContent = job.name;
  find("report-frame").src = `/api/jobs/${job.id}/report`;
  find("report").showModal();
}
