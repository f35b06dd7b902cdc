/* The player: a real video where there is one, else a stand-in that plays time only. */
"use strict";

(() => {
  const player = document.querySelector("[data-player]");
  if (!player) return;
  const REPORT_MS = 5000;
  const title = Number(player.dataset.titleId);
  const video = player.querySelector("video");

  const tell = (kind, position, duration) => {
    const seconds = { position_seconds: Math.round(position), duration_seconds: Math.round(duration) };
    Events.record(kind, { title, surface: "watch", ...seconds });
    Events.flush();
  };

  /* Follows anything that plays: play, progress every five seconds, stop or finish once. */
  const follow = (now, duration) => {
    let isPlaying = false;
    let timer = 0;
    const started = () => {
      if (isPlaying) return;
      isPlaying = true;
      tell("play", now(), duration());
      timer = setInterval(() => tell("progress", now(), duration()), REPORT_MS);
    };
    const ended = (kind) => {
      if (!isPlaying) return;
      isPlaying = false;
      clearInterval(timer);
      tell(kind, now(), duration());
    };
    return { started, stopped: () => ended("stop"), finished: () => ended("finish") };
  };

  /* Before events.js sends what is left: this listener runs in the capturing phase. */
  const onLeaving = (act) => addEventListener("pagehide", act, { capture: true });

  if (video) {
    const length = () => (Number.isFinite(video.duration) ? video.duration : Number(player.dataset.duration));
    const reports = follow(() => video.currentTime, length);
    video.addEventListener("loadedmetadata", () => {
      video.currentTime = Math.min(Number(player.dataset.start), video.duration || 0);
    });
    video.addEventListener("play", reports.started);
    video.addEventListener("pause", () => (video.ended ? reports.finished() : reports.stopped()));
    video.addEventListener("ended", reports.finished);
    onLeaving(reports.stopped);
    return;
  }

  const TICK_MS = 200;
  const duration = Number(player.dataset.duration);
  const [play, seek, clock, speed] = ["play", "seek", "clock", "speed"].map((name) =>
    player.querySelector(`[data-${name}]`),
  );
  let position = Math.min(Number(player.dataset.start), duration);
  let ticker = 0;
  let lookedAt = 0;
  const reports = follow(() => position, () => duration);

  const two = (number) => String(Math.floor(number)).padStart(2, "0");
  const time = (seconds) => `${Math.floor(seconds / 3600)}:${two((seconds % 3600) / 60)}:${two(seconds % 60)}`;
  const show = () => {
    seek.value = String(position);
    seek.setAttribute("aria-valuetext", time(position));
    clock.textContent = `${time(position)} of ${time(duration)}`;
    play.textContent = ticker ? "Pause" : "Play";
  };
  const pause = (report) => {
    clearInterval(ticker);
    ticker = 0;
    report();
    show();
  };
  const tick = () => {
    const now = performance.now();
    position = Math.min(position + ((now - lookedAt) / 1000) * Number(speed.value), duration);
    lookedAt = now;
    if (position >= duration) pause(reports.finished);
    else show();
  };
  play.addEventListener("click", () => {
    if (ticker) {
      pause(reports.stopped);
      return;
    }
    if (position >= duration) position = 0;
    lookedAt = performance.now();
    ticker = setInterval(tick, TICK_MS);
    reports.started();
    show();
  });
  seek.addEventListener("input", () => {
    position = Number(seek.value);
    show();
  });
  onLeaving(() => ticker && pause(reports.stopped));
  player.querySelector(".controls").hidden = false;
  show();
})();
