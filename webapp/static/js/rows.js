/* Buttons that move a row by what is visible of it. Without script a row scrolls by hand. */
"use strict";

document.querySelectorAll(".row-body").forEach((body) => {
  const slots = body.querySelector(".slots");
  const back = body.querySelector(".scroll.back");
  const on = body.querySelector(".scroll.on");
  const isCalm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const move = (direction) =>
    slots.scrollBy({ left: direction * slots.clientWidth * 0.85, behavior: isCalm ? "auto" : "smooth" });
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
