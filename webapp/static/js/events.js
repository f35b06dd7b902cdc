/* Tells the server what happened in the page. An event is kept until a 2xx says it is on disk. */
"use strict";

const Events = (() => {
  const KEY = "marquee-events";
  const ADDRESS = "/api/v1/events";
  const BATCH = 200;
  let queue = JSON.parse(sessionStorage.getItem(KEY) || "[]");
  let isSending = false;

  const makeId = () => {
    if (crypto.randomUUID) return crypto.randomUUID();
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
  };

  const keep = () => sessionStorage.setItem(KEY, JSON.stringify(queue.slice(-2000)));

  const record = (kind, fields) => {
    queue.push({ id: makeId(), kind, occurred_at: new Date().toISOString(), ...fields });
    keep();
  };

  const flush = async () => {
    if (isSending || !queue.length) return;
    isSending = true;
    const batch = queue.slice(0, BATCH);
    try {
      const response = await fetch(ADDRESS, {
        method: "POST",
        keepalive: true,
        credentials: "same-origin",
        headers: { "Content-Type": "application/json", "X-CSRFToken": document.body.dataset.csrf || "" },
        body: JSON.stringify({ events: batch }),
      });
      // What can never be taken (400) is dropped; anything else is tried again later.
      if (response.ok || response.status === 400) {
        const sent = new Set(batch.map((event) => event.id));
        queue = queue.filter((event) => !sent.has(event.id));
        keep();
      }
    } catch {
      // Offline: the queue stays.
    } finally {
      isSending = false;
    }
  };

  addEventListener("pagehide", flush);
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "hidden") flush();
  });
  setInterval(flush, 4000);
  flush();
  return { record, flush };
})();

/* Impressions: at least half of a card in the viewport for a second, once per slate and title. */
(() => {
  const seen = new Set();
  const timers = new Map();

  const placeOf = (card) => {
    const slate = card.closest("[data-slate]");
    const row = card.closest("[data-row]");
    return {
      title: Number(card.dataset.title),
      slot: Number(card.dataset.slot),
      slate: slate ? slate.dataset.slate : null,
      surface: slate ? slate.dataset.surface : "",
      row: row ? row.dataset.row : "",
      query: slate && slate.dataset.query ? slate.dataset.query : "",
    };
  };

  const note = (card) => {
    const place = placeOf(card);
    const key = `${place.slate} ${place.title}`;
    if (seen.has(key)) return;
    seen.add(key);
    Events.record("impression", place);
  };

  const observer = new IntersectionObserver(
    (entries) => {
      for (const { target, isIntersecting } of entries) {
        clearTimeout(timers.get(target));
        if (isIntersecting) timers.set(target, setTimeout(() => note(target), 1000));
      }
    },
    { threshold: 0.5 },
  );

  const watch = (root) => root.querySelectorAll("[data-slate] a[data-title]").forEach((card) => observer.observe(card));
  watch(document);
  document.addEventListener("htmx:afterSwap", (event) => watch(event.detail.target));
  document.addEventListener("click", (event) => {
    const card = event.target.closest("[data-surface=search] a[data-title]");
    if (!card) return;
    Events.record("choose", placeOf(card));
    Events.flush();
  });
})();
