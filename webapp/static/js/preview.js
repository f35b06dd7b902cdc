/* A card that is looked at longer, by pointer or by focus, opens a preview: facts, why, controls.
   Escape closes it; the pointer may enter it; Tab goes from the card into it and on. */
"use strict";

(() => {
  const WAIT_MS = 450;
  const LEAVE_MS = 250;
  const wide = matchMedia("(min-width: 700px)");
  const panel = document.createElement("div");
  if (!("popover" in panel)) return;
  panel.popover = "manual";
  panel.className = "preview";
  panel.setAttribute("role", "group");

  let card = null;
  let timer = 0;

  const place = () => {
    const box = card.querySelector(".card-art").getBoundingClientRect();
    const { offsetWidth: width, offsetHeight: height } = panel;
    const clamp = (value, most) => Math.max(8, Math.min(value, most - 8));
    panel.style.left = `${clamp(box.left + (box.width - width) / 2, document.documentElement.clientWidth - width)}px`;
    panel.style.top = `${clamp(box.top + (box.height - height) / 2, innerHeight - height)}px`;
  };
  const close = () => {
    clearTimeout(timer);
    card = null;
    if (panel.isConnected && panel.matches(":popover-open")) panel.hidePopover();
  };
  const open = async (next) => {
    close();
    if (!next.isConnected || !next.matches(":hover, :focus")) return;
    card = next;
    card.after(panel);
    const answer = await fetch(`/preview/${card.dataset.title}/`, { credentials: "same-origin" }).catch(() => null);
    if (!answer?.ok || card !== next) {
      answer?.body?.cancel();
      return;
    }
    const words = await answer.text();
    if (card !== next) return;
    htmx.swap(panel, words, { swapStyle: "innerHTML" });
    panel.setAttribute("aria-label", `About ${card.querySelector(".card-name").textContent}`);
    const why = panel.querySelector(".why");
    why.textContent = card.dataset.why || "";
    why.hidden = !why.textContent;
    if (card.dataset.slot) panel.querySelector("a[data-title]").dataset.slot = card.dataset.slot;
    panel.showPopover();
    place();
  };
  const later = (act, wait) => {
    clearTimeout(timer);
    timer = setTimeout(act, wait);
  };
  const cardAt = (target) => (wide.matches && target.closest ? target.closest(".card[data-title]") : null);

  document.addEventListener("pointerover", ({ target, pointerType }) => {
    if (pointerType !== "mouse") return;
    const next = cardAt(target);
    if (next && next !== card) later(() => open(next), WAIT_MS);
    else if (next || panel.contains(target)) clearTimeout(timer);
    else if (card && !panel.contains(document.activeElement)) later(close, LEAVE_MS);
    else if (!card) clearTimeout(timer);
  });
  document.addEventListener("focusin", ({ target }) => {
    if (panel.contains(target)) return;
    const next = target.matches(":focus-visible") ? cardAt(target) : null;
    if (next && next !== card) later(() => open(next), WAIT_MS);
    else if (!next) close();
  });
  document.addEventListener("pointerdown", ({ target }) => panel.contains(target) || close());
  document.addEventListener("keydown", ({ key, target }) => {
    if (key !== "Escape" || !card) return;
    const from = card;
    close();
    if (panel.contains(target)) from.focus();
  });
  document.addEventListener("scroll", ({ target }) => card && !panel.contains(target) && close(), { capture: true, passive: true });
})();
