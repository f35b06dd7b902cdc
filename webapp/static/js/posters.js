/* A catalogue's own poster that does not come gives way to the drawn one. */
"use strict";

(() => {
  const mend = (image) => {
    const { drawn } = image.dataset;
    if (!drawn) return;
    delete image.dataset.drawn;
    image.src = drawn;
  };
  /* Errors do not bubble: the capturing phase hears of them. */
  addEventListener("error", ({ target }) => target instanceof HTMLImageElement && mend(target), true);
  /* And what had failed before this script ran. */
  document.querySelectorAll("img[data-drawn]").forEach((image) => {
    if (image.complete && !image.naturalWidth) mend(image);
  });
})();
