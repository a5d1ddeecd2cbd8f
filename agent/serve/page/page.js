// The page: which conversation is on the screen, what runs in it, and what every control does.
const at = {
  about: null, skills: [], threads: [], thread: null, skill: null, wish: null, run: null, views: [], loading: null,
  unsent: null,  // {turn, thread, text}: a message nobody knows the fate of; said again, it keeps its id
  end: true, waiting: false, drawn: null,
};
const hex = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (one) => one.toString(16).padStart(2, "0")).join("");
const threadPath = (thread) => `/v1/threads/${encodeURIComponent(thread)}`;
const spot = (thread) => (thread ? "#/" + encodeURIComponent(thread) : "#/");
const tray = new Tray(() => at.about, trayChanged);
const act = { say: (words) => utter(words), lanes: place };

// --- Turns ----------------------------------------------------------------------------------------------------------
function send() {
  const text = $("say").value.trim();
  if (at.run) return notice(t("blocked"));
  at.waiting = tray.busy;
  if (tray.busy) return notice(t("waits"), true);
  if (!text && !tray.items.some((one) => one.state === "ready")) return;
  write("");
  utter(text, tray.take());
}

async function utter(text, files = []) {
  if (at.run) return notice(t("blocked"));
  const fresh = !at.thread;
  if (fresh) history.pushState(null, "", spot((at.thread = "c-" + hex())));
  const thread = at.thread, again = at.unsent?.thread === thread && at.unsent.text === text;
  const turn = again ? at.unsent.turn : hex();
  keep({ turn, thread, text });
  const body = { thread, text, files: files.map(({ id }) => id), turn, ...(at.skill && { skill: at.skill }), ...(chosen.lang && { lang: chosen.lang }) };
  notice("");
  at.end = true;
  for (const view of at.views) view.past();
  refocus();
  const view = show({ text, files }, true);
  const error = await run(view, { thread, turn, body });
  if (!error) return;
  view.root.remove();
  at.views = at.views.filter((one) => one !== view);
  if (error instanceof Refused) keep(null);
  if (!$("say").value) write(text);
  tray.restore(files);
  if (fresh && error instanceof Refused) go(null, true);
  empty();
  notice(error instanceof Refused ? error.message : t("failed"));
}

/** Follows a turn to its end. Returns the error where the host did not take it at all. */
async function run(view, { thread, turn, body = null }) {
  const mine = (at.run = { turn, thread, controller: new AbortController(), stop: false, known: false });
  const { signal } = mine.controller;
  running();
  let note = null, refused = null;
  try {
    for await (const one of turnStream({ thread, turn, body, signal })) {
      if (one.what === "took" || one.what === "back") {
        mine.known = true;
        if (body) { keep(null); list(); }
        if (one.what === "back") view.back();
      } else if (one.what === "lost") view.lost();
      else if (one.what === "event") view.show(one.event);
      else note = one.status === "broken" ? "broken" : mine.stop ? "stopped" : null;
    }
  } catch (error) {
    if (signal.aborted) { if (signal.reason !== "stop") return null; note = "stopped"; }
    else if (!error.sent && body) refused = error;
    else note = "gone";
  }
  if (at.run === mine) at.run = null;
  view.finish(note);
  running();
  if (refused) return refused;
  if (view.timeline) lanes();
  list();
  credits();
  return null;
}

async function stop() {
  const mine = at.run;
  if (!mine || mine.stop) return;
  mine.stop = true;
  $("stop").disabled = true;
  try { await call(`${threadPath(mine.thread)}/cancel`, { method: "POST", signal: AbortSignal.timeout(8000) }); }
  catch (error) {
    if (error instanceof Refused && mine.known) mine.stop = $("stop").disabled = false;  // it is over, or about to be
    else mine.controller.abort("stop");
  }
}

function show(turn, live) {
  const view = new TurnView(turn, act, live);
  at.views.push(view);
  $("turns").append(view.root);
  empty();
  return view;
}
function running() {
  $("stop").hidden = !at.run;
  $("stop").disabled = false;
  $("send").hidden = Boolean(at.run);
  $("turns").setAttribute("aria-busy", String(Boolean(at.run)));
  refocus();
}
/** A control that went away takes the focus with it: back to the field, except where that opens a keyboard. */
function refocus() {
  const lost = document.activeElement === document.body || document.activeElement === $("stop");
  if (lost && !at.run?.stop && matchMedia("(pointer: fine)").matches && !document.querySelector("dialog[open]")) $("say").focus();
}
function keep(unsent) {
  at.unsent = unsent;
  memory.set("sessionStorage", "unsent", unsent && JSON.stringify(unsent));
}

// --- Conversations --------------------------------------------------------------------------------------------------
/** Puts a conversation on the screen; null is a new one. A turn that runs in the one before goes on at the host. */
async function open(thread) {
  at.run?.controller.abort("away");
  at.loading?.abort("away");
  const { signal } = (at.loading = new AbortController());
  Object.assign(at, { thread, run: null, views: [], end: true, drawn: null });
  $("turns").replaceChildren();
  $("said").replaceChildren();
  notice("");
  drawer(false);
  running();
  title();
  $("lanes").hidden = true;
  const past = thread ? await pastOf(thread, signal) : { turns: [] };
  if (!past) return;
  skill([past.skill, at.wish].find((wish) => at.skills.some(({ name }) => name === wish)) ?? null);
  for (const turn of past.turns) again(turn, thread);
  for (const view of at.views.slice(0, -1)) view.past();
  const lost = at.unsent?.thread === thread && !past.turns.some(({ turn }) => turn === at.unsent.turn);
  if (lost && !$("say").value) write(at.unsent.text);
  else if (at.unsent?.thread === thread && !lost) keep(null);
  if (at.views.some((view) => view.timeline)) lanes();
  empty();
  title();
  refocus();
}
function again(turn, thread) {
  const live = turn.status === "running";
  const view = show(turn, live);
  if (live) return run(view, { thread, turn: turn.turn });
  for (const event of turn.events ?? []) view.show(event);
  view.finish(turn.status === "broken" ? "broken" : null);
}
/** What was said so far; nothing where the host has no such conversation; null when another one was opened meanwhile. */
async function pastOf(thread, signal) {
  for (let tries = 0; ; ) {
    try { return await read(threadPath(thread), { signal }); }
    catch (error) {
      if (signal.aborted) return null;
      if (error instanceof Refused && error.status < 500 && error.status !== 429) {
        if (error.status !== 404) notice(error.message);
        return { turns: [] };
      }
      notice(t("offline"));
      try { await pause(tries++, signal); } catch { return null; }
      notice("");
    }
  }
}
function go(thread, quiet = false) {
  history[quiet ? "replaceState" : "pushState"](null, "", spot(thread));
  return open(thread);
}
function here() {
  try { return location.hash.startsWith("#/") ? decodeURIComponent(location.hash.slice(2)) || null : null; } catch { return null; }
}

async function list() {
  try { at.threads = (await read("/v1/threads")).threads ?? []; } catch { return; }
  drawList();
  title();
}
function drawList() {
  const rows = at.threads.map(({ thread, title: words, at: when, skill: persona }) => {
    const name = words || t("untitled");
    const link = make("a", { href: spot(thread), title: name }, make("span", { textContent: name, dir: "auto" }), make("small", { textContent: `${ago(when)} · ${skillName(persona)}` }));
    if (thread === at.thread) link.setAttribute("aria-current", "page");
    const bin = tell(make("button", { type: "button", className: "icon", onclick: () => forget(thread, name) }, icon("bin")), "forgetOne", { name }, "aria-label");
    return make("li", {}, link, bin);
  });
  $("list").replaceChildren(...(rows.length ? rows : [make("li", { className: "none", textContent: t("none") })]));
}
function ago(when) {
  const date = new Date(when), old = Date.now() - date > 864e5;
  if (isNaN(date)) return "";
  return date.toLocaleString(lang(), old ? { month: "short", day: "numeric" } : { hour: "2-digit", minute: "2-digit" });
}
function forget(thread, name) {
  const sure = $("sure");
  $("which").textContent = name;
  sure.returnValue = "no";
  sure.onclose = async () => {
    if (sure.returnValue !== "yes") return;
    try { await call(threadPath(thread), { method: "DELETE" }); }
    catch (error) { if (error.status !== 404) return notice(error instanceof Refused ? error.message : t("offline")); }
    if (thread === at.thread) await go(null, true);
    list();
  };
  sure.showModal();
}
function title() {
  const words = at.threads.find(({ thread }) => thread === at.thread)?.title || (at.views.length ? "reelchat" : t("untitled"));
  $("title").textContent = words;
  document.title = at.views.length ? `${words} – reelchat` : "reelchat";
  for (const link of $("list").querySelectorAll("a"))
    if (link.getAttribute("href") === spot(at.thread)) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
}

// --- Personas and the empty conversation ----------------------------------------------------------------------------
function skillName(name) {
  if (!name) return "";
  if (Object.hasOwn(WORDS[lang()], name)) return t(name);
  const words = name.replace(/[-_]+/g, " ").replace(/\bai\b/gi, "AI");
  return words.charAt(0).toUpperCase() + words.slice(1);
}
function skill(name) {
  at.skill = name;
  const options = at.skills.map((one) => make("option", { value: one.name, textContent: skillName(one.name), selected: one.name === name }));
  $("skill").replaceChildren(...options);
  $("skill").hidden = !options.length;
  empty();
}
function empty() {
  $("empty").hidden = at.views.length > 0;
  const one = at.skills.find(({ name }) => name === at.skill);
  $("skill").title = one?.description?.[lang()] ?? "";
  if (!one || at.views.length) return;
  $("who").textContent = skillName(one.name);
  $("greeting").textContent = one.greeting?.[lang()] || one.description?.[lang()] || "";
  const tries = (one.tries?.[lang()] ?? []).map((words) => {
    const file = /^(upload|上传)\s/i.test(words);  // paths are for the terminal; here it is a dialog
    const click = file ? () => $("choose").click() : () => { write(words); $("say").focus(); };
    return make("button", { type: "button", dir: "auto", textContent: file ? t("choose") : words, onclick: click });
  });
  $("tries").replaceChildren(...tries);
}

// --- Timeline, credits, notices -------------------------------------------------------------------------------------
const figure = make("button", { type: "button", className: "lanes" }, make("img", { alt: "" }));
tell(figure, "enlarge", {}, "aria-label").onclick = () => $("sheet").showModal();

function place(block) {
  figure.hidden = !at.drawn;
  block.prepend(figure);
  if (at.run) lanes();
}
async function lanes() {
  const thread = at.thread;
  let url = null;
  try { url = URL.createObjectURL(await (await call(`${threadPath(thread)}/timeline.svg?lang=${lang()}`)).blob()); } catch { /* none yet */ }
  if (thread !== at.thread || !url) return;
  for (const image of [figure.firstElementChild, $("large")]) image.src = url;
  if (at.drawn) URL.revokeObjectURL(at.drawn);
  at.drawn = url;
  figure.hidden = $("lanes").hidden = false;
}
async function credits() {
  try {
    const { available, frozen } = await read("/v1/credits");
    const n = typeof available === "number" ? available.toLocaleString(lang(), { maximumFractionDigits: 1 }) : null;
    $("credits").hidden = n === null;
    if (n === null) return;
    tell($("credits"), "credits", { n });
    tell($("credits"), "creditsMore", { n, frozen: frozen ?? 0 }, "title");
  } catch { /* shown again after the next turn */ }
}
function notice(words, calm = false) {
  $("notice").textContent = words;
  $("notice").hidden = !words;
  $("notice").classList.toggle("calm", calm);
}
function trayChanged() {
  $("tray").hidden = !tray.items.length;
  if (!at.waiting || tray.busy) return;
  at.waiting = false;
  notice("");
  if (!tray.failed) send();
}
function write(words) {
  $("say").value = words;
  typed();
}
function typed() {
  const field = $("say");
  field.style.height = "auto";
  field.style.height = `${field.scrollHeight}px`;
  memory.set("sessionStorage", "draft", field.value || null);
}
function drawer(shown) {
  document.body.classList.toggle("drawer", shown);
  $("menu").setAttribute("aria-expanded", String(shown));
  document.querySelector("main").inert = shown;
}
