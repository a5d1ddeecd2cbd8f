// One turn on the screen. Words of the backend, of people and of file names are text, never markup.
const SVG = "http://www.w3.org/2000/svg";
const PICTURES = ["gif", "png", "jpg", "jpeg", "webp"], SOUNDS = ["mp3", "wav", "m4a", "aac", "ogg", "flac"];

function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}
function icon(name) {
  const svg = document.createElementNS(SVG, "svg"), use = document.createElementNS(SVG, "use");
  svg.setAttribute("aria-hidden", "true");
  use.setAttribute("href", "#i-" + name);
  svg.append(use);
  return svg;
}
const megabytes = (bytes) => (bytes / 1e6).toLocaleString(lang(), { maximumFractionDigits: bytes < 1e7 ? 1 : 0 });

/** Says something to a screen reader, once. */
function announce(words) {
  const said = $("said");
  if (words.trim()) said.append(make("p", { textContent: words }));
  while (said.childElementCount > 20) said.firstElementChild.remove();
}

// --- Text -----------------------------------------------------------------------------------------------------------
const LINK = /https?:\/\/[^\s<>"'“”‘’（）【】《》，。；、！？\u0000-\u001f]+|\/files\/file_[0-9a-f]{32}\/[^\s<>"'（），。；、！？]+/gi;

/** The address where it is http, https or a file of ours; else null. */
function safe(address) {
  try {
    const url = new URL(address, location.origin);
    return ["http:", "https:"].includes(url.protocol) && !url.username ? url.href : null;
  } catch { return null; }
}
/** Text with its addresses as links. */
function linked(text) {
  const parts = document.createDocumentFragment();
  let from = 0;
  for (const found of text.matchAll(LINK)) {
    let words = found[0].replace(/[.,;:!?*]+$/, "");
    while (words.endsWith(")") && !words.includes("(")) words = words.slice(0, -1);
    const href = safe(words);
    if (href === null) continue;
    const anchor = make("a", { href, rel: "noopener noreferrer", target: "_blank", textContent: words });
    parts.append(text.slice(from, found.index), anchor);
    from = found.index + words.length;
  }
  parts.append(text.slice(from));
  return parts;
}
/** Paragraphs and lists out of plain text: lines beginning with "- " are a list. */
function* blocks(text) {
  let list = null, lines = [];
  const paragraph = () => { const one = make("p", {}, linked(lines.join("\n"))); lines = []; return one; };
  for (const line of text.split("\n")) {
    const item = /^\s*[-•] (.*)$/.exec(line);
    if ((item || !line.trim()) && lines.length) yield paragraph();
    if (item) (list ??= make("ul")).append(make("li", {}, linked(item[1])));
    else if (line.trim()) {
      if (list) yield list;
      list = null;
      lines.push(line.trimEnd());
    }
  }
  if (list) yield list;
  if (lines.length) yield paragraph();
}

// --- A turn ---------------------------------------------------------------------------------------------------------
class TurnView {
  /** `act` is what it may ask of the page: say(words), lanes(block) to draw the lanes there. */
  constructor({ text = "", files = [] }, act, live) {
    Object.assign(this, { act, live, texts: new Map(), dirty: new Set(), last: null, timeline: false, spoken: new Map() });
    this.root = make("article", { className: "turn" });
    const said = make("div", { className: "mine" }, tell(make("h2", { className: "hidden" }), "you"));
    if (files.length) said.append(this.#files(files));
    if (text) said.append(make("p", { className: "bubble", dir: "auto" }, linked(text)));
    this.body = make("div", { className: "body" });
    this.status = make("div", { className: "status", hidden: true });
    this.root.append(said, tell(make("h2", { className: "hidden" }), "answer"), this.body, this.status);
    if (live) this.#working("working");
  }

  /** One event of the turn. Kinds that are not known are passed over. */
  show(event) {
    const kinds = { progress: "progress", text: "words", timeline: "draft", delivered: "file", ask: "ask", hint: "hint", error: "error" };
    const kind = Object.hasOwn(kinds, event.kind) ? event.kind : null;
    if (kind === null) return;
    if (kind !== "progress" && (kind !== "text" || event.id !== this.last)) this.#settle();
    this["on" + kind](event);
  }

  /** The turn is over; `note` is a sentence of ours about how. */
  finish(note = null) {
    this.#flush();
    this.#settle();
    this.live = false;
    this.status.hidden = true;
    if (note) this.body.append(tell(make("p", { className: "note" }), note));
    if (note) announce(t(note));
  }
  /** Nothing here can be clicked any more: the conversation has gone on. */
  past() { for (const group of this.body.querySelectorAll(".options, .chips")) group.remove(); }
  lost() { this.#working("lost"); announce(t("lost")); }
  back() { this.#working("working"); }

  onprogress({ text, fraction }) {
    const line = this.#line(String(text ?? ""));
    if (typeof fraction !== "number") return;
    const share = Math.max(0, Math.min(1, fraction));
    const percent = make("span", { className: "percent", textContent: Math.round(share * 100) + "%" });
    const bar = make("progress", { max: 1, value: share });
    bar.setAttribute("aria-label", text);
    line.append(bar, percent);
  }
  ontext({ id, mode, text }) {
    let one = this.texts.get(id);
    if (!one) {
      one = { text: "", element: make("div", { className: "words", dir: "auto" }) };
      this.texts.set(id, one);
      this.body.append(one.element);
    }
    one.text = mode === "replace" ? text : one.text + text;
    this.last = id;
    if (!this.dirty.size) requestAnimationFrame(() => this.#flush());
    this.dirty.add(id);
    if (!this.live) this.#flush();
  }
  ontimeline({ text }) {
    this.timeline = true;
    const block = make("div", { className: "draft" }, make("p", { dir: "auto", textContent: text }));
    this.body.append(block);
    this.act.lanes(block);
    this.#announce(text);
  }
  ondelivered({ text, path, url, format, size, duration_ms }) {
    const name = String(path ?? "").split(/[\\/]/).pop() || format;
    const href = typeof url === "string" ? safe(url) : null;
    const own = href !== null && href.startsWith(location.origin + "/files/");
    const card = make("figure", { className: "delivered" });
    if (own) card.append(this.#player(href, String(format).toLowerCase(), name));
    const time = duration_ms ? `${(duration_ms / 1000).toLocaleString(lang(), { maximumFractionDigits: 1 })} s` : null;
    const facts = [String(format).toUpperCase(), time, size ? (size < 1e6 ? `${Math.ceil(size / 1e3)} KB` : `${megabytes(size)} MB`) : null].filter(Boolean).join(" · ");
    const words = make("span", { className: "facts" }, make("b", { textContent: name, dir: "auto" }), make("small", { textContent: facts }));
    const caption = make("figcaption", {}, words);
    if (href) {
      const link = make("a", { href, className: "main", rel: "noopener noreferrer" }, icon("save"), tell(make("span"), "download"));
      if (own) link.download = name;
      caption.append(link);
    }
    card.append(caption);
    this.body.append(make("p", { className: "words", dir: "auto" }, linked(String(text ?? ""))), card);
    this.#announce(text);
  }
  onask({ text, options }) {
    const group = this.#buttons("options", "ask", options ?? []);
    this.body.append(make("div", { className: "ask" }, make("p", { dir: "auto" }, linked(text)), group));
    this.#announce(`${text} ${(options ?? []).join(", ")}`);
  }
  onhint({ text, suggestions }) {
    const group = this.#buttons("chips", "next", suggestions ?? []);
    if (!suggestions?.length) this.body.append(make("p", { className: "note", textContent: text }));
    this.body.append(group);
  }
  onerror({ text }) {
    const head = tell(make("b"), "error");
    this.body.append(make("div", { className: "error" }, head, make("div", { dir: "auto" }, ...blocks(text))));
    this.#announce(`${t("error")}. ${text}`);
  }

  #buttons(className, label, words) {
    const group = tell(make("div", { className }), label, {}, "aria-label");
    group.setAttribute("role", "group");
    for (const one of words) group.append(make("button", { type: "button", dir: "auto", textContent: one, onclick: () => this.act.say(one) }));
    return group;
  }
  #player(href, format, name) {
    const kind = PICTURES.includes(format) ? "img" : SOUNDS.includes(format) ? "audio" : "video";
    const player = make(kind, kind === "img" ? { alt: name, loading: "lazy" } : { controls: true, preload: "metadata", playsInline: true });
    player.setAttribute("aria-label", name);
    player.onerror = () => player.replaceWith(tell(make("p", { className: "note" }), "expired"));
    player.src = href;
    return player;
  }
  #files(files) {
    const list = make("ul", { className: "files" });
    for (const file of files) {
      const words = make("span", { textContent: file.filename ?? file.name ?? file.id, dir: "auto" });
      list.append(make("li", {}, file.picture ? make("img", { src: file.picture, alt: "" }) : icon("file"), words));
    }
    return list;
  }
  #working(word) {
    const line = this.#line("");
    tell(line.lastElementChild, word);
  }
  #line(text) {
    const words = make("span", { className: "doing", textContent: text });
    this.status.replaceChildren(make("i", { className: "pulse" }), words);
    this.status.hidden = false;
    return this.status;
  }
  /** Draws what came since the last frame. */
  #flush() {
    for (const id of this.dirty) {
      const one = this.texts.get(id);
      one.element.replaceChildren(...blocks(one.text));
    }

    this.dirty.clear();
  }
  /** What was being said is whole: tells it to a screen reader, also when it was rewritten since. */
  #settle() {
    this.last = null;
    for (const [id, { text }] of this.texts) {
      if (this.spoken.get(id) === text) continue;
      this.spoken.set(id, text);
      this.#announce(text);
    }
  }
  #announce(text) { if (this.live) announce(String(text ?? "")); }
}
