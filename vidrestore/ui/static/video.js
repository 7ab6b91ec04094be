"use strict";
// A video at hand: who is in it, a face before and after, and the run.

function videoWork(file, host, kept) {
  kept.values ??= {};
  const values = kept.values;
  const head = make("header", {class: "head"}), facts = make("p", {class: "facts"}, facts_of(file));
  head.append(make("h1", {}, file.name), facts);
  const details = make("details", {class: "fold"});
  details.append(make("summary", {}, "Streams and tags"), make("pre", {}, file.details));
  const faces = make("section", {class: "step", "aria-labelledby": "h-faces"});
  const look = make("section", {class: "step", "aria-labelledby": "h-look"});
  look.hidden = true;
  kept.follow = () => {};
  host.replaceChildren(head, details, faces, look, runStep(file, values, () => kept.follow()));
  faces.append(make("h2", {id: "h-faces"}, "Faces"));
  if (file.analysed) showPersons(file, faces, look, kept);
  else {
    const button = make("button", {type: "button", class: "main"}, "Find faces");
    does(button, async () => {
      await ask("POST", "/jobs", {file: file.id, kind: "analyze"});
      await refreshJobs();
    });
    const state = make("div", {class: "state", id: "finding", "aria-live": "polite"});
    faces.append(make("p", {class: "hint"}, "Find who is in the video, to set each person's fidelity and to look before you render. You can also render at once."), button, state);
    faces.dataset.waits = file.id;
  }
}
function facts_of(file) {
  const length = file.duration ? `${clock(file.duration)}, ` : "";
  return `${length}${file.words}, ${sized(file.size)}${file.in_place ? ", in place" : ""}`;
}

// While faces are being found: how far that is.
function showFinding(jobs) {
  const state = find("finding");
  if (!state) return;
  const id = state.closest("section").dataset.waits;
  const job = jobs.filter(each => each.file === id && each.kind === "analyze").pop();
  const button = state.parentElement.querySelector("button.main");
  const busy = Boolean(job && ["waiting", "running"].includes(job.state));
  button.hidden = busy;
  if (busy) state.replaceChildren(progressBar(job));
  else state.replaceChildren(...(job && job.state === "failed" ? [make("p", {class: "wrong"}, job.progress.error || "It failed.")] : []));
}

async function showPersons(file, faces, look, kept) {
  let found;
  const waiting = make("p", {class: "hint", role: "status"}, "Reading who was found …");
  faces.append(waiting);
  try { found = await ask("GET", `/files/${file.id}/persons`); } catch (error) {
    waiting.textContent = error.message;
    return;
  }
  waiting.remove();
  if (!found.persons.length) {
    faces.append(make("p", {class: "hint"}, "No faces were found. A run leaves the video as it is."));
    return;
  }
  const state = kept.state ??= {person: found.persons[0].id, time: found.persons[0].time};
  const general = kept.values;
  const list = make("ul", {class: "persons"});
  const cards = new Map();
  const update = choosePlace(file, look, found, state, general, cards);
  for (const person of found.persons) {
    const card = personCard(file, person, general, {
      choose: () => { state.person = person.id; if (!seen(person, state.time)) state.time = person.time; update(); },
      changed: () => { if (state.person !== person.id) { state.person = person.id; if (!seen(person, state.time)) state.time = person.time; } update(); },
    });
    cards.set(person.id, card);
    list.append(card);
  }
  const left = found.left_out ? ` ${found.left_out} more, seen for less long, follow the run's settings.` : "";
  faces.append(make("p", {class: "hint"}, `w: 0 trusts the model (cleaner), 1 trusts the video (truer). Strength lets the input show through.${left}`), list);
  look.hidden = false;
  kept.follow = () => { for (const card of cards.values()) card.follow(); update(); };
  update();
}
function seen(person, time) {
  return person.tracks.some(([, start, end]) => start <= time && time <= end);
}
function personCard(file, person, general, {choose, changed}) {
  const card = make("li", {class: "person"});
  const label = () => person.name || `Person ${person.id}`;
  const face = make("button", {type: "button", class: "face", "aria-label": `Look at ${label()}`});
  face.append(person.face ? make("img", {src: person.face, alt: "", width: 112, height: 112}) : make("span", {}, "?"));
  face.addEventListener("click", choose);
  const name = make("input", {type: "text", class: "name", value: person.name, placeholder: `Person ${person.id}`, maxlength: 60, "aria-label": `Name of person ${person.id}`});
  const first = person.tracks[0][1], last = Math.max(...person.tracks.map(track => track[2]));
  const about = make("p", {class: "hint"}, `${person.frames} frames, ${clock(first)} to ${clock(last)}, ${person.size} px`);
  const save = (key, value) => {
    person[key] = value;
    saveSoon(file.id, person.id, key, value);
    changed();
  };
  name.addEventListener("change", () => save("name", name.value.trim()));
  const w = slide("w", person.w ?? number(general.w, 0.5), value => save("w", value));
  const strength = slide("Strength", person.strength ?? number(general.strength, 1), value => save("strength", value));
  w.range.setAttribute("aria-label", `w of ${label()}`);
  strength.range.setAttribute("aria-label", `Strength of ${label()}`);
  const skip = tick("Leave as is", person.skip, value => { card.classList.toggle("skipped", value); save("skip", value); });
  card.classList.toggle("skipped", person.skip);
  card.append(face, name, about, w, strength, skip);
  card.setW = value => { w.set(value); save("w", value); };
  // What was not set for the person is as it is for everyone.
  card.follow = () => {
    if (person.w === null) w.set(number(general.w, 0.5));
    if (person.strength === null) strength.set(number(general.strength, 1));
  };
  return card;
}
// What was set for persons is saved a moment later, and before a run is asked for.
const unsaved = new Map();
let saving = 0, saved = Promise.resolve();
function saveSoon(file, person, key, value) {
  if (!unsaved.has(file)) unsaved.set(file, {});
  (unsaved.get(file)[person] ??= {})[key] = value;
  clearTimeout(saving);
  saving = setTimeout(() => saveAll().catch(error => say(error.message, "error")), 250);
}
function saveAll() {
  clearTimeout(saving);
  const all = [...unsaved];
  unsaved.clear();
  saved = saved.catch(() => {}).then(() => Promise.all(all.map(([file, change]) => ask("PATCH", `/files/${file}/persons`, change))));
  return saved;
}
function number(value, otherwise) {
  const found = Number(value);
  return value === undefined || value === "" || Number.isNaN(found) ? otherwise : found;
}

// The place that is looked at: moments that may go wrong, a timeline, and the face before and after.
function choosePlace(file, look, found, state, general, cards) {
  const view = [0, Math.max(found.end, 0.04)];
  const shots = found.shots.map((start, number) => [number + 1, start, found.shots[number + 1] ?? found.end]);
  const picture = make("div", {class: "picture"}), title = make("p", {class: "place", "aria-live": "polite"});
  const timeline = make("div", {class: "timeline", role: "group", "aria-label": "Timeline of shots and persons", tabindex: 0});
  const moments = make("ul", {class: "moments", "aria-label": "Moments that are most likely to go wrong"});
  const person = () => found.persons.find(each => each.id === state.person);
  const show = lookAt(picture, () => {
    const query = new URLSearchParams({time: state.time.toFixed(4), person: state.person});
    query.set("w", person().w ?? general.w ?? 0.5);
    query.set("strength", person().skip ? 0 : person().strength ?? general.strength ?? 1);
    for (const name of ["task", "model", "min_face", "max_sharpness", "max_yaw", "upscale", "commercial"]) if (general[name]) query.set(name, general[name]);
    return `/files/${file.id}/look?${query}`;
  });
  const label = each => each.name || `Person ${each.id}`;
  function update() {
    title.textContent = `${label(person())} at ${clock(state.time)}`;
    here.set(person().w ?? number(general.w, 0.5));
    for (const [id, card] of cards) card.classList.toggle("chosen", id === state.person);
    timeline.replaceChildren(timelineSvg({view, now: state.time, shots, rows: found.persons.slice(0, 12).map(each => ({
      label: label(each),
      spans: each.tracks.map(([id, start, end]) => [start, end, `track ${id}, ${clock(start)} to ${clock(end)}`]),
      flags: found.moments.map((moment, number) => [moment, number]).filter(([moment]) => moment.person === each.id)
        .map(([moment, number]) => ({start: moment.time, end: moment.time, class: "k1", flag: number, label: `${clock(moment.time)}: ${moment.why}`})),
    }))}));
    show();
  }
  const go = (time, id) => {
    const there = found.persons.find(each => each.id === id && seen(each, time)) ?? found.persons.find(each => seen(each, time));
    state.time = time;
    if (there) state.person = there.id;
    update();
  };
  timeline.addEventListener("click", event => {
    if (event.target.dataset.flag !== undefined) { const moment = found.moments[event.target.dataset.flag]; go(moment.time, moment.person); return; }
    const {time, row} = timelinePlace(timeline, event, view);
    if (time !== null) go(Math.min(Math.max(time, 0), found.end), found.persons[row]?.id ?? state.person);
  });
  timeline.addEventListener("keydown", event => {
    const steps = {ArrowLeft: -1, ArrowRight: 1}[event.key];
    if (steps) go(Math.min(found.end, Math.max(0, state.time + steps * found.end / 100)), state.person);
    else if (event.key === "Enter" && event.target.dataset.flag !== undefined) { const moment = found.moments[event.target.dataset.flag]; go(moment.time, moment.person); }
    else return;
    event.preventDefault();
  });
  for (const moment of found.moments) {
    const button = make("button", {type: "button"}, `${clock(moment.time)}  ${moment.why}`);
    button.addEventListener("click", () => go(moment.time, moment.person));
    const item = make("li");
    item.append(button);
    moments.append(item);
  }
  const controls = make("div", {class: "beside"});
  const here = slide("w", 0.5, value => cards.get(state.person).setW(value));
  here.range.setAttribute("aria-label", "w of the person shown");
  controls.append(title, here, make("p", {class: "hint"}, "One frame by itself: a run also looks at the frames around it and holds the face steady."), make("h3", {}, "Riskiest moments"), moments);
  const both = make("div", {class: "looking"});
  both.append(picture, controls);
  look.append(make("h2", {id: "h-look"}, "Before and after"), both, timeline);
  return update;
}

// Presets, the container, every other option, and the button.
const VIDEO_FIRST = ["w", "container"];
function runStep(file, values, changed) {
  const step = make("section", {class: "step", "aria-labelledby": "h-run"});
  const row = make("div", {class: "row"}), rest = make("div");
  const w = slide(file.analysed ? "Fidelity (w) of all others" : "Fidelity (w)", number(values.w, 0.5), value => { values.w = String(value); changed(); },
    {hint: file.analysed ? "Of persons whose own w was not set." : "0: cleaner, 1: closer to the video"});
  const draw = () => {
    const container = options.video.find(field => field.name === "container");
    row.replaceChildren(
      chooser("Preset", [["", "none"], ...Object.keys(options.presets).map(name => [name, name])], values.preset_name ?? "", name => {
        for (const key of Object.keys(values)) delete values[key];
        Object.assign(values, options.presets[name] ?? {});
        if (name) values.preset_name = name;
        w.set(number(values.w, 0.5));
        draw();
        changed();
      }),
      chooser("Container", [["", "as the input"], ...container.choices.map(each => [each, each])], values.container ?? "", value => {
        if (value) values.container = value; else delete values.container;
      }),
      w);
    const open = rest.querySelector("details")?.open;
    rest.replaceChildren(advanced("video", values, VIDEO_FIRST));
    if (open) rest.querySelector("details").open = true;
  };
  draw();
  rest.addEventListener("change", changed);
  const button = does(make("button", {type: "button", class: "main", id: "render"}, "Restore the video"), async () => {
    const {preset_name, ...sent} = values;
    await saveAll();
    await ask("POST", "/jobs", {file: file.id, kind: "restore", options: sent});
    say("It is in the queue.");
    await refreshJobs();
  });
  step.append(make("h2", {id: "h-run"}, "Render"), row, rest, button, make("div", {class: "own-jobs", "data-file": file.id}));
  return step;
}
