/* Tells the server what happened in the page. An event is kept until a 2xx says it is on disk. */
"use strict";

const Events = (() => {
  const ADDRESS = "/api/v1/events";
  const KEY = `marquee-events-${document.body.dataset.viewer || "nobody"}`;
  const BATCH = 100; /* keeps a batch under the 64 KiB a closing page may send */
  const KEPT = 2000;
  const EVERY_MS = 3000;
  const PATIENCE_MS = 60_000;

  const read = () => {
    try {
      return JSON.parse(sessionStorage.getItem(KEY)) || [];
    } catch {
      return [];
    }
  };
  const keep = () => {
    try {
      sessionStorage.setItem(KEY, JSON.stringify(queue));
    } catch {
      /* No storage: the queue lives as long as the page. */
    }
  };

  let queue = read();
  let isSending = false;
  let pause = 0;
  let notBefore = 0;

  const makeId = () => {
    if (crypto.randomUUID) return crypto.randomUUID();
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
  };

  const record = (kind, fields) => {
    queue.push({ id: makeId(), kind, occurred_at: new Date().toISOString(), ...fields });
    queue = queue.slice(-KEPT);
    keep();
  };

  const token = () => {
    const cookie = document.cookie.split("; ").find((pair) => pair.startsWith("csrftoken="));
    return cookie ? cookie.slice("csrftoken=".length) : document.body.dataset.csrf || "";
  };

  const send = async (batch) => {
    const response = await fetch(ADDRESS, {
      method: "POST",
      keepalive: true,
      credentials: "same-origin",
      headers: { "Content-Type": "application/json", "X-CSRFToken": token() },
      body: JSON.stringify({ sent_at: new Date().toISOString(), events: batch }),
    });
    /* An answer that no cache keeps holds its connection until it is read. */
    response.text().catch(() => {});
    /* What was refused one by one is in a 2xx; a batch that can never be taken (400) is dropped. */
    if (!response.ok && response.status !== 400) throw new Error(`answered ${response.status}`);
    const done = new Set(batch.map((event) => event.id));
    queue = queue.filter((event) => !done.has(event.id));
    keep();
  };

  /* Sends what waits, oldest first. After a failure it waits, twice as long each time. */
  const flush = async () => {
    if (isSending || !queue.length || Date.now() < notBefore) return;
    isSending = true;
    try {
      while (queue.length) await send(queue.slice(0, BATCH));
      pause = 0;
    } catch {
      pause = Math.min((pause || EVERY_MS) * 2, PATIENCE_MS);
      notBefore = Date.now() + pause;
    } finally {
      isSending = false;
    }
  };

  /* A page that goes away sends at once, even what is under way: a repeat does no harm. */
  const leave = () => {
    if (queue.length) send(queue.slice(0, BATCH)).catch(() => {});
  };

  addEventListener("pagehide", leave);
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "hidden") leave();
  });
  setInterval(flush, EVERY_MS);
  flush();
  return { record, flush, token };
})();

/* What is seen and chosen. An impression: half of a card in the viewport for a second, once. */
(() => {
  const SEEN_MS = 1000;
  const seen = new Set();
  const timers = new Map();

  const placeOf = (card) => {
    const slate = card.closest("[data-slate]");
    const row = card.closest("[data-row], [data-of-row]");
    return {
      title: Number(card.dataset.title),
      slot: Number(card.dataset.slot),
      slate: slate ? slate.dataset.slate : null,
      surface: slate ? slate.dataset.surface : "",
      row: row ? row.dataset.row || row.dataset.ofRow : "",
      query: slate && slate.dataset.query ? slate.dataset.query : "",
    };
  };

  const note = (card) => {
    if (!card.isConnected) return;
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
        if (isIntersecting) timers.set(target, setTimeout(note, SEEN_MS, target));
      }
    },
    { threshold: 0.5 },
  );

  const look = (root) => root.querySelectorAll("a[data-title]").forEach((card) => observer.observe(card));

  document.querySelectorAll("[data-slate]").forEach(look);
  document.addEventListener("htmx:afterSettle", () => document.querySelectorAll("[data-slate]").forEach(look));
  document.addEventListener("marquee:shown", (event) => look(event.target));

  /* The title's page records that it was opened; this cookie tells it from which slot. */
  document.addEventListener("click", (event) => {
    const card = event.target.closest("[data-slate] a[data-title]");
    if (!card) return;
    const place = placeOf(card);
    const from = [place.title, place.slate, place.row, place.slot].join(":");
    document.cookie = `marquee_from=${from}; path=/title/${place.title}/; max-age=600; samesite=lax`;
    if (place.surface === "search") {
      Events.record("choose", place);
      Events.flush();
    }
  });
})();

/* "/" goes to the search field, as in many places. */
document.addEventListener("keydown", (event) => {
  const isTyping = event.target.closest("input, textarea, select");
  if (event.key !== "/" || isTyping || event.ctrlKey || event.metaKey || event.altKey) return;
  const field = document.getElementById("q");
  if (!field) return;
  event.preventDefault();
  field.focus();
  field.select();
});
