"use strict";
// A photo at hand: the controls of CodeFormer's published demo, before and after, and the download.

const PHOTO_FIRST = ["w", "upscale", "background", "face_upsample", "denoise"];

function photoWork(file, host, kept) {
  kept.values ??= {};
  const values = kept.values;
  const known = name => options.photo.find(field => field.name === name);
  const head = make("header", {class: "head"});
  head.append(make("h1", {}, file.name), make("p", {class: "facts"}, facts_of(file)));
  const picture = make("div", {class: "picture photo"});
  const show = lookAt(picture, () => {
    const query = new URLSearchParams({w: values.w ?? "0.5"});
    for (const name of ["task", "strength", "model", "min_face", "max_sharpness", "max_yaw", "upscale", "commercial", "aligned", "only_center_face", "face"]) if (values[name]) query.set(name, values[name]);
    return `/files/${file.id}/look?${query}`;
  });
  const controls = make("div", {class: "beside"});
  const largest = Math.max(1, Math.min(4, Math.floor(Math.sqrt(session.most_pixels / (file.width * file.height)))));
  const fidelity = slide("Fidelity (w)", number(values.w, 0.5), value => { values.w = value.toFixed(2); show(); },
    {hint: "0: better quality, 1: closer to the photo"});
  const scale = slide("Rescaling factor", number(values.upscale, 1), value => {
    if (value > 1) values.upscale = String(value); else delete values.upscale;
    enhance();
    show();
  }, {min: 1, max: largest, step: 1, hint: " "});
  const networks = known("background").choices;
  const background = chooser("Background enhance", [["", "no"], ...networks.slice(1).map(each => [each, each])], values.background ?? "", value => {
    if (value) values.background = value; else delete values.background;
    enhance();
  });
  const upsample = tick("Face upsample", Boolean(values.face_upsample), value => { if (value) values.face_upsample = true; else delete values.face_upsample; });
  const why = make("p", {class: "hint"});
  const enhance = () => {
    const larger = Number(values.upscale ?? 1) > 1;
    scale.querySelector(".hint").textContent = `The result has ${file.width * (values.upscale ?? 1)} x ${file.height * (values.upscale ?? 1)} pixels.`;
    background.select.disabled = !larger;
    upsample.input.disabled = !larger || !values.background;
    if (!larger) { delete values.background; background.select.value = ""; }
    if (upsample.input.disabled) { delete values.face_upsample; upsample.input.checked = false; }
    why.textContent = !larger ? "Background enhance and face upsample need a rescaling factor above 1." : !values.background ? "Face upsample needs a network, chosen as background enhance." :
      "The network is downloaded at its first use. What it adds is not shown before the run.";
  };
  controls.append(fidelity, scale, background, upsample, why);
  enhance();
  const button = does(make("button", {type: "button", class: "main", id: "render"}, "Restore the photo"), async () => {
    await ask("POST", "/jobs", {file: file.id, kind: "restore", options: values});
    say("It is in the queue.");
    await refreshJobs();
  });
  controls.append(button, make("div", {class: "own-jobs", "data-file": file.id}));
  const both = make("div", {class: "looking"});
  both.append(picture, controls);
  host.replaceChildren(head, both, advanced("photo", values, PHOTO_FIRST));
  host.querySelector("details").addEventListener("change", show);
  show();
}
