// Files on their way: chosen, dropped or pasted, checked before they travel, sent with the next turn.
const KIN = { jpeg: "jpg", jpe: "jpg", heif: "heic", tif: "tiff", mpeg: "mpg", quicktime: "mov", "x-matroska": "mkv" };
const plain = (ext) => KIN[ext] ?? ext;

class Tray {
  /** `about()` gives {accepted, max_mb}; `changed()` is called after every change. */
  constructor(about, changed) { Object.assign(this, { about, changed, items: [] }); }

  get busy() { return this.items.some((one) => one.state === "busy"); }
  get failed() { return this.items.some((one) => one.state === "failed"); }

  add(files) { for (const file of files) this.#one(file); }

  /** The uploaded ones. Everything leaves the tray: what failed has been told. */
  take() {
    const ready = this.items.filter((one) => one.state === "ready");
    for (const one of [...this.items]) this.#drop(one);
    return ready.map(({ id, name, picture }) => ({ id, filename: name, picture }));
  }
  /** Brings back files that were taken and could not be sent. */
  restore(files) { for (const { id, filename, picture } of files) this.#show({ id, name: filename, picture, state: "ready" }); }

  #one(file) {
    const name = file.name || "file";
    const picture = /^image\/(png|jpeg|gif|webp)$/.test(file.type) ? URL.createObjectURL(file) : null;
    const item = this.#show({ name, picture, state: "busy" });
    const [word, values] = this.#problem(file) ?? [];
    if (word) return this.#fail(item, t(word, values));
    item.sending = upload(file, (share) => this.#progress(item, share));
    item.sending.done.then((done) => {
      Object.assign(item, { id: done.id, state: "ready" });
      item.bar.remove();
      item.element.classList.add("ready");
      announce(t("uploaded", { name }));
      this.changed();
    }, (error) => { if (error.name !== "AbortError") this.#fail(item, error instanceof Refused ? error.message : t("uploadLost")); });
  }
  /** Why this file need not travel, as a word and its values; null where nothing is known against it. */
  #problem(file) {
    const { accepted = [], max_mb: limit = null } = this.about() ?? {};
    const ending = /\.(\w{1,8})$/.exec(file.name)?.[1] ?? file.type.split("/")[1] ?? "";
    const takes = accepted.map((one) => plain(one.toLowerCase()));
    if (file.size === 0) return ["empty"];
    if (limit && file.size > limit * 1e6) return ["tooLarge", { size: megabytes(file.size), limit }];
    if (takes.length && ending && !takes.includes(plain(ending.toLowerCase()))) return ["badType", { accepted: accepted.join(", ") }];
    return null;
  }
  #show(item) {
    const off = make("button", { type: "button", className: "icon", onclick: () => this.#remove(item) }, icon("close"));
    tell(off, "remove", { name: item.name }, "aria-label");
    item.bar = make("progress", { max: 1, value: 0 });
    item.words = make("span", { className: "name", textContent: item.name, dir: "auto" });
    item.element = make("li", { className: item.state }, item.picture ? make("img", { src: item.picture, alt: "" }) : icon("file"), item.words, off);
    if (item.state === "busy") item.element.append(item.bar);
    this.#progress(item, 0);
    this.items.push(item);
    $("tray").append(item.element);
    this.changed();
    return item;
  }
  #progress(item, share) {
    item.bar.value = share;
    tell(item.bar, "uploading", { name: item.name, percent: Math.round(share * 100) }, "aria-label");
  }
  #fail(item, words) {
    item.state = "failed";
    item.bar.remove();
    item.element.className = "failed";
    item.words.after(make("span", { className: "why", textContent: words }));
    announce(`${item.name}: ${words}`);
    this.changed();
  }
  #remove(item) {
    item.sending?.cancel();
    if (item.id) call(`/v1/files/${item.id}`, { method: "DELETE" }).catch(() => {});
    if (item.picture) URL.revokeObjectURL(item.picture);
    this.#drop(item);
    $("say").focus();
  }
  #drop(item) {
    item.element.remove();
    this.items = this.items.filter((one) => one !== item);
    this.changed();
  }
}
