/* Moves a row by what is visible of it, with buttons and arrow keys; by hand without script. */
"use strict";

(() => {
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  const behavior = () => (calm.matches ? "auto" : "smooth");

  /* Buttons stand only where there is more to see; one that goes hands its focus to the other. */
  const update = (slots) => {
    const [back, on] = slots.parentElement.querySelectorAll(".scroll");
    if (!on) return;
    const focused = document.activeElement;
    back.hidden = slots.scrollLeft < 8;
    on.hidden = slots.scrollLeft + slots.clientWidth > slots.scrollWidth - 8;
    if (focused === on && on.hidden) back.focus();
    if (focused === back && back.hidden) on.focus();
  };
  const sizes = new ResizeObserver((entries) => entries.forEach(({ target }) => update(target)));
  const arrange = (root) => root.querySelectorAll(".slots").forEach((slots) => sizes.observe(slots));
  arrange(document);
  document.addEventListener("htmx:load", ({ detail }) => arrange(detail.elt.parentElement || detail.elt));

  document.addEventListener("scroll", ({ target }) => target.matches?.(".slots") && update(target), { capture: true, passive: true });
  document.addEventListener("click", ({ target }) => {
    const button = target.closest(".row-body > .scroll");
    if (!button) return;
    const slots = button.parentElement.querySelector(".slots");
    const direction = button.classList.contains("back") ? -1 : 1;
    slots.scrollBy({ left: direction * slots.clientWidth * 0.85, behavior: behavior() });
  });

  /* Left and right go along a row, up and down to the card above or below, as on a television. */
  const beside = (card, step) => {
    const cards = [...card.closest(".slots, .grid").querySelectorAll(".card")];
    if (step === -Infinity) return cards[0];
    if (step === Infinity) return cards.at(-1);
    return cards[cards.indexOf(card) + step];
  };
  const across = (card, direction) => {
    const { left, top } = card.getBoundingClientRect();
    const places = [...document.querySelectorAll(".slots .card, .grid .card")]
      .map((other) => ({ other, box: other.getBoundingClientRect() }))
      .filter(({ box }) => (box.top - top) * direction > 1 && box.width);
    const line = Math.min(...places.map(({ box }) => (box.top - top) * direction));
    return places
      .filter(({ box }) => (box.top - top) * direction < line + 1)
      .sort((a, b) => Math.abs(a.box.left - left) - Math.abs(b.box.left - left))[0]?.other;
  };
  const STEPS = {
    ArrowLeft: (card) => beside(card, -1),
    ArrowRight: (card) => beside(card, 1),
    Home: (card) => beside(card, -Infinity),
    End: (card) => beside(card, Infinity),
    ArrowUp: (card) => across(card, -1),
    ArrowDown: (card) => across(card, 1),
  };
  document.addEventListener("keydown", (event) => {
    const card = event.target.closest(".slots .card, .grid .card");
    const step = STEPS[event.key];
    if (!card || !step || event.ctrlKey || event.metaKey || event.altKey) return;
    const next = step(card);
    if (!next) return;
    event.preventDefault();
    next.focus({ preventScroll: true });
    next.scrollIntoView({ block: "nearest", inline: "nearest", behavior: behavior() });
  });

  /* A menu closes as it loses the focus or at Escape. */
  document.querySelectorAll("details.account, details.drop").forEach((menu) => {
    addEventListener("click", (event) => {
      if (!menu.contains(event.target)) menu.open = false;
    });
    menu.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || !menu.open) return;
      menu.open = false;
      menu.querySelector("summary").focus();
    });
  });
})();
