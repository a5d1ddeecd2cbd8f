// Language, what the browser remembers, and talking to the host. Nothing here touches the conversation on the screen.
const $ = (id) => document.getElementById(id);

const memory = {  // a browser may forbid storage altogether: then nothing is remembered
  get(place, name) { try { return window[place].getItem("reelchat." + name); } catch { return null; } },
  set(place, name, value) {
    try {
      if (value === null) window[place].removeItem("reelchat." + name);
      else window[place].setItem("reelchat." + name, value);
    } catch { /* see above */ }
  },
};

// --- Language -------------------------------------------------------------------------------------------------------
const chosen = { lang: ["en", "zh"].find((one) => one === memory.get("localStorage", "lang")) ?? null };
const guessed = () => {
  const first = (navigator.languages ?? [navigator.language]).find((one) => /^(en|zh)\b/i.test(one));
  return /^zh/i.test(first ?? "") ? "zh" : "en";
};
const lang = () => chosen.lang ?? guessed();
const filled = (text, values) => text.replace(/{(\w+)}/g, (_, name) => values[name] ?? "");
const t = (key, values = {}) => filled(WORDS[lang()][key] ?? key, values);

/** Words on an element that change with the language: as its text, or as one of its attributes. */
function tell(element, key, values = {}, attribute = null) {
  (element.told ??= new Map()).set(attribute, [key, values]);
  element.setAttribute("data-told", "");
  put(element, attribute, t(key, values));
  return element;
}
function put(element, attribute, words) {
  if (attribute === null) element.textContent = words;
  else element.setAttribute(attribute, words);
}
function retell() {
  document.documentElement.lang = lang() === "zh" ? "zh-CN" : "en";
  for (const element of document.querySelectorAll("[data-told]"))
    for (const [attribute, [key, values]] of element.told) put(element, attribute, t(key, values));
}
function tellStatic() {
  const kinds = { t: null, label: "aria-label", hint: "placeholder" };
  for (const [kind, attribute] of Object.entries(kinds))
    for (const element of document.querySelectorAll(`[data-${kind}]`)) {
      tell(element, element.dataset[kind], {}, attribute);
      if (kind === "label" && element.tagName === "BUTTON") tell(element, element.dataset[kind], {}, "title");
    }
}

// --- The key --------------------------------------------------------------------------------------------------------
let key = memory.get("sessionStorage", "key") ?? memory.get("localStorage", "key");
let asking = null;

/** Waits until the person has given a key other than `refused`; one form for all who wait. */
function unlock(refused) {
  if (key !== null && key !== refused) return Promise.resolve();
  asking ??= new Promise((resolve) => {
    $("wrong").hidden = refused === null;
    $("key").value = "";
    const done = (event) => {
      event.preventDefault();
      const given = $("key").value.trim();
      if (!/^[\x21-\x7e]+$/.test(given)) { $("wrong").hidden = false; return; }
      key = given;
      memory.set("sessionStorage", "key", given);
      memory.set("localStorage", "key", $("keep").checked ? given : null);
      $("lock").firstElementChild.removeEventListener("submit", done);
      $("lock").close();
      asking = null;
      resolve();
    };
    $("lock").firstElementChild.addEventListener("submit", done);
    $("lock").showModal();
  });
  return asking;
}

// --- Requests -------------------------------------------------------------------------------------------------------
class Refused extends Error {
  constructor(status, error = {}, wait = 0) {
    super(typeof error.message === "string" && error.message ? error.message : t("refused", { status }));
    Object.assign(this, { status, code: error.code ?? null, wait });
  }
}
const parsed = (text) => { try { return JSON.parse(text) ?? {}; } catch { return {}; } };
const headers = () => ({ "Accept-Language": lang(), ...(key ? { Authorization: `Bearer ${key}` } : {}) });

/** A response of the host that is fine. A missing key is asked for; throws Refused, or TypeError without a connection. */
async function call(path, { method = "GET", json, signal, extra = {} } = {}) {
  for (;;) {
    const sent = key;
    const typed = json === undefined ? {} : { "Content-Type": "application/json" };
    const body = json === undefined ? undefined : JSON.stringify(json);
    const all = { ...headers(), ...typed, ...extra };
    const response = await fetch(path, { method, body, signal, headers: all, cache: "no-store" });
    if (response.ok) return response;
    if (response.status !== 401) {
      const wait = Number(response.headers.get("Retry-After")) || 0;
      throw new Refused(response.status, parsed(await response.text()).error, wait);
    }
    await unlock(sent);
  }
}
const read = async (path, options) => (await call(path, options)).json();

/** The messages of a stream of server-sent events: {event, id, data}. Ends where the stream ends or falls silent. */
async function* messages(response) {
  const reader = response.body.getReader();
  const decoder = new TextDecoder();
  let rest = "", one = { event: "message", id: null, data: [] };
  try {
    for (;;) {
      const silent = setTimeout(() => reader.cancel().catch(() => {}), 45_000);  // the host speaks every 15 s
      const { done, value } = await reader.read().finally(() => clearTimeout(silent));
      if (done) return;
      const lines = (rest + decoder.decode(value, { stream: true })).split(/\r?\n/);
      rest = lines.pop();
      for (const line of lines) {
        const [, field, text] = /^([^:]*):? ?(.*)$/s.exec(line);
        if (line === "") {
          if (one.data.length) yield { ...one, data: one.data.join("\n") };
          one = { event: "message", id: null, data: [] };
        } else if (field === "data") one.data.push(text);
        else if (field === "event" || field === "id") one[field] = text;
      }
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

/** Resolves after a while, at once when the network comes back. Rejects when `signal` aborts. */
function pause(tries, signal, least = 0) {
  return new Promise((resolve, reject) => {
    const done = () => { clearTimeout(timer); removeEventListener("online", done); resolve(); };
    const timer = setTimeout(done, Math.max(least * 1000, Math.min(500 * 2 ** tries, 8000)));
    addEventListener("online", done);
    signal.addEventListener("abort", () => { done(); reject(signal.reason); }, { once: true });
  });
}

/**
 * Everything that a turn says, over as many connections as it takes: {what: "took"|"event"|"end"|"lost"|"back", …}.
 * With a `body` the turn is sent first. It is sent again (with its id, at most twice) only where the host, asked for
 * it, does not know it. Throws Refused where the host declines; `error.sent` says that the turn was known to it.
 */
async function* turnStream({ thread, turn, body, signal }) {
  const path = `/v1/threads/${encodeURIComponent(thread)}/turns/${turn}`;
  let ask = !body, known = !body, posts = 0, after = -1, tries = 0, least = 0, why = null, away = false;
  for (;;) {
    try {
      const extra = after >= 0 ? { "Last-Event-ID": String(after) } : {};
      const response = ask ? await call(path, { signal, extra })
        : (posts++, await call("/v1/turns", { method: "POST", json: body, signal }));
      known = true;
      yield { what: away ? "back" : "took" };
      away = false;
      for await (const { event, id, data } of messages(response)) {
        tries = 0;
        if (event === "end") return yield { what: "end", status: parsed(data).status ?? "done" };
        if (event !== "message" || (id !== null && Number(id) <= after)) continue;
        if (id !== null) after = Number(id);
        yield { what: "event", event: parsed(data) };
      }
    } catch (error) {
      if (signal.aborted) throw error;
      if (error instanceof Refused && decline(error)) throw Object.assign(why ?? error, { sent: known });
    }
    if (!away) yield { what: "lost" };
    [away, ask] = [true, ask !== "again"];
    if (ask) await pause(tries++, signal, least);
    least = 0;
  }

  /** Whether this refusal is the last word; else sets what to do next. */
  function decline(error) {
    least = error.wait;
    if (ask && error.status === 404 && !known && posts <= 2) ask = "again";
    else if (ask) return error.status < 500 && error.status !== 429;
    else if (error.status === 500 || error.status === 502 || error.status === 504) why = error;  // it may have arrived
    else return true;
    return false;
  }
}

/** Sends one file: {done: a promise of the host's File, cancel()}. `progress` gets 0 to 1. */
function upload(file, progress) {
  const request = new XMLHttpRequest();
  let stopped = false;
  const once = () => new Promise((resolve, reject) => {
    const sent = key, form = new FormData();
    form.append("purpose", "user_data");
    form.append("file", file, file.name);
    request.open("POST", "/v1/files");
    for (const [name, value] of Object.entries(headers())) request.setRequestHeader(name, value);
    request.upload.onprogress = (event) => event.lengthComputable && progress(event.loaded / event.total);
    request.onload = () => {
      const answer = parsed(request.responseText);
      if (request.status === 401) unlock(sent).then(() => stopped || once().then(resolve, reject));
      else if (request.status < 300 && /^file_[0-9a-f]{32}$/.test(answer.id)) resolve(answer);
      else reject(new Refused(request.status, answer.error));
    };
    request.onerror = () => reject(new TypeError("connection"));
    request.onabort = () => reject(new DOMException("", "AbortError"));
    request.send(form);
  });
  return { done: once(), cancel() { stopped = true; request.abort(); } };
}
