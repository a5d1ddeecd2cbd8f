// Every control gets its deed; then the page asks the host who it is.
const log = $("log");
const toEnd = () => { log.scrollTop = log.scrollHeight; };
const follow = new ResizeObserver(() => { if (at.end) toEnd(); });
follow.observe($("turns"));
follow.observe(log);
log.addEventListener("scroll", () => {
  at.end = log.scrollHeight - log.scrollTop - log.clientHeight < 90;
  $("latest").hidden = at.end;
}, { passive: true });

$("composer").onsubmit = (event) => { event.preventDefault(); send(); };
$("stop").onclick = stop;
$("say").oninput = typed;
$("say").onkeydown = (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
  event.preventDefault();
  send();
};
addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || event.isComposing || document.querySelector("dialog[open]")) return;
  if (document.body.classList.contains("drawer")) { drawer(false); $("menu").focus(); }
  else stop();
});
document.querySelector(".skip").onclick = (event) => { event.preventDefault(); $("say").focus(); };
$("latest").onclick = () => { at.end = true; toEnd(); $("say").focus(); };
$("menu").onclick = () => { drawer(true); $("shut").focus(); };
$("shut").onclick = $("shade").onclick = () => { drawer(false); $("menu").focus(); };
$("fresh").onclick = () => go(null);
$("lanes").onclick = () => $("sheet").showModal();
$("skill").onchange = () => { skill($("skill").value); memory.set("localStorage", "skill", (at.wish = at.skill)); };
$("lock").oncancel = (event) => event.preventDefault();  // there is nothing to see behind it
addEventListener("popstate", () => open(here()));
addEventListener("hashchange", () => { if (here() !== at.thread) open(here()); });

$("attach").onclick = () => $("choose").click();
$("choose").onchange = () => { tray.add([...$("choose").files]); $("choose").value = ""; $("say").focus(); };
addEventListener("paste", (event) => {
  const files = [...(event.clipboardData?.files ?? [])];
  if (!files.length || document.querySelector("dialog[open]")) return;
  event.preventDefault();
  tray.add(files);
});
addEventListener("visibilitychange", () => { if (!document.hidden && at.about && !at.run) list(); });
const carries = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");
addEventListener("dragover", (event) => { if (carries(event)) { event.preventDefault(); $("drop").hidden = false; } });
addEventListener("dragleave", (event) => { if (!event.relatedTarget) $("drop").hidden = true; });
addEventListener("drop", (event) => {
  $("drop").hidden = true;
  if (!carries(event)) return;
  event.preventDefault();
  if (!document.querySelector("dialog[open]")) tray.add([...event.dataTransfer.files]);
});

function tongue() {
  tell($("tongue"), "other");
  tell($("tongue"), "otherLabel", {}, "aria-label");
  $("tongue").lang = lang() === "zh" ? "en" : "zh-CN";
}
$("tongue").onclick = () => {
  chosen.lang = lang() === "zh" ? "en" : "zh";
  memory.set("localStorage", "lang", chosen.lang);
  tongue();
  retell();
  skill(at.skill);
  drawList();
  title();
  if (at.drawn) lanes();
  credits();
};

/** The same question until the host answers. */
async function patiently(ask) {
  for (let tries = 0; ; ) {
    try { const answer = await ask(); notice(""); return answer; }
    catch (error) { notice(error instanceof Refused ? error.message : t("offline")); }
    await pause(tries++, new AbortController().signal);
  }
}
tellStatic();
tongue();
retell();
title();
at.unsent = parsed(memory.get("sessionStorage", "unsent") ?? "null");
write(memory.get("sessionStorage", "draft") ?? "");
at.about = await patiently(() => read("/v1/about"));
if (at.about.keys && key === null) await unlock(null);
at.skills = (await patiently(() => read("/v1/skills"))).skills ?? [];
$("choose").accept = (at.about.accepted ?? []).map((one) => "." + one).join(",");
const known = at.skills.map(({ name }) => name);
at.wish = [memory.get("localStorage", "skill"), at.about.default_skill, known[0]].find((name) => known.includes(name)) ?? null;
await Promise.all([open(here()), list(), credits()]);
