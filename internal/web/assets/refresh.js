// Keeps a page fresh: fetches it again and puts the new content in place. The
// page is complete without this script.
"use strict";
(() => {
  const every = Number(document.body.dataset.refresh) || 5000;
  const button = document.getElementById("pause");
  const stale = document.getElementById("stale");
  let paused = false;
  let timer;

  button.hidden = false;
  button.addEventListener("click", () => {
    paused = !paused;
    button.textContent = paused ? "Resume updates" : "Pause updates";
    if (!paused) renew();
  });
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) renew();
  });

  // Where the keyboard is, and how far a table was scrolled, must survive.
  const place = (main) => {
    const active = document.activeElement;
    if (!active || !main.contains(active) || active === main) return () => {};
    const all = [...main.querySelectorAll("a, [tabindex]")];
    const nth = all.indexOf(active);
    const left = active.scrollLeft;
    return () => {
      const again = main.querySelectorAll("a, [tabindex]")[nth];
      if (!again) return;
      again.focus({ preventScroll: true });
      again.scrollLeft = left;
    };
  };

  async function renew() {
    clearTimeout(timer);
    if (paused || document.hidden) return;
    try {
      const answer = await fetch(location.href, { headers: { Accept: "text/html" }, signal: AbortSignal.timeout(10000) });
      const next = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = next.getElementById("main");
      if (!fresh) throw new Error("not a page of this server");
      const chosen = getSelection();
      const main = document.getElementById("main");
      const writing = main.querySelector("details[open]"); // what was typed must survive
      if (!paused && !writing && (!chosen || chosen.isCollapsed)) {
        const back = place(main);
        main.replaceChildren(...fresh.childNodes);
        back();
        document.title = next.title;
        document.getElementById("as-of").replaceWith(next.getElementById("as-of"));
      }
      stale.textContent = "";
    } catch {
      stale.textContent = "No connection to the server: values are old.";
    }
    timer = setTimeout(renew, every);
  }
  timer = setTimeout(renew, every);
})();
