/* Moves a row by what is visible of it, with buttons and arrow keys; by hand without script. */
"use strict";

(() => {
  const calm = matchMedia("(prefers-reduced-motion: reduce)");

  document.querySelectorAll(".row-body").forEach((body) => {
    const slots = body.querySelector(".slots");
    const back = body.querySelector(".scroll.back");
    const on = body.querySelector(".scroll.on");
    const move = (direction) =>
      slots.scrollBy({ left: direction * slots.clientWidth * 0.85, behavior: calm.matches ? "auto" : "smooth" });
    const update = () => {
      back.hidden = slots.scrollLeft < 8;
      on.hidden = slots.scrollLeft + slots.clientWidth > slots.scrollWidth - 8;
    };
    back.addEventListener("click", () => move(-1));
    on.addEventListener("click", () => move(1));
    slots.addEventListener("scroll", update, { passive: true });
    addEventListener("resize", update);
    update();
  });

  /* Left and right go along a row, up and down to the card above or below, as on a television. */
  const cardsOf = (row) => [...row.querySelectorAll(".card")];
  const beside = (card, step) => {
    const cards = cardsOf(card.closest(".slots, .grid"));
    return cards[cards.indexOf(card) + step];
  };
  const across = (card, step) => {
    const rows = [...document.querySelectorAll(".slots")];
    const row = rows[rows.indexOf(card.closest(".slots")) + step];
    if (!row) return undefined;
    const { left } = card.getBoundingClientRect();
    const distance = (other) => Math.abs(other.getBoundingClientRect().left - left);
    return cardsOf(row).sort((a, b) => distance(a) - distance(b))[0];
  };
  const STEPS = {
    ArrowLeft: (card) => beside(card, -1),
    ArrowRight: (card) => beside(card, 1),
    ArrowUp: (card) => card.closest(".slots") && across(card, -1),
    ArrowDown: (card) => card.closest(".slots") && across(card, 1),
  };
  document.addEventListener("keydown", (event) => {
    const card = event.target.closest(".slots .card, .grid .card");
    const step = STEPS[event.key];
    if (!card || !step || event.ctrlKey || event.metaKey || event.altKey) return;
    const next = step(card);
    if (!next) return;
    event.preventDefault();
    next.focus({ preventScroll: true });
    next.scrollIntoView({ block: "nearest", inline: "nearest", behavior: calm.matches ? "auto" : "smooth" });
  });

  /* A menu closes as it loses the focus or at Escape. */
  document.querySelectorAll("details.account").forEach((menu) => {
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
