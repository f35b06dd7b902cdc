/* The player: a real video where there is one, else a stand-in that plays time only. */
"use strict";

(() => {
  const player = document.querySelector("[data-player]");
  if (!player) return;
  const REPORT_MS = 10_000;
  const title = Number(player.dataset.titleId);
  const video = player.querySelector("video");

  const tell = (kind, position, duration) => {
    const seconds = { position_seconds: Math.round(position), duration_seconds: Math.round(duration) };
    Events.record(kind, { title, surface: "watch", ...seconds });
    Events.flush();
  };

  /* Follows anything that plays: play, progress every ten seconds, stop or finish once. */
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
    addEventListener("pagehide", () => ended("stop"));
    return { started, stopped: () => ended("stop"), finished: () => ended("finish") };
  };

  if (video) {
    const length = () => (Number.isFinite(video.duration) ? video.duration : Number(player.dataset.duration));
    const reports = follow(() => video.currentTime, length);
    video.addEventListener("loadedmetadata", () => {
      video.currentTime = Math.min(Number(player.dataset.start), video.duration || 0);
    });
    video.addEventListener("play", reports.started);
    video.addEventListener("pause", () => (video.ended ? reports.finished() : reports.stopped()));
    video.addEventListener("ended", reports.finished);
    return;
  }

  const duration = Number(player.dataset.duration);
  const [play, seek, clock, speed] = ["play", "seek", "clock", "speed"].map((name) =>
    player.querySelector(`[data-${name}]`),
  );
  let position = Number(player.dataset.start);
  let ticker = 0;
  const reports = follow(() => position, () => duration);

  const two = (number) => String(Math.floor(number)).padStart(2, "0");
  const time = (seconds) => `${two(seconds / 3600)}:${two((seconds % 3600) / 60)}:${two(seconds % 60)}`;
  const show = () => {
    seek.value = String(position);
    clock.textContent = `${time(position)} of ${time(duration)}`;
  };
  const pause = (report) => {
    clearInterval(ticker);
    ticker = 0;
    play.textContent = "Play";
    report();
  };
  const tick = () => {
    position = Math.min(position + Number(speed.value) / 4, duration);
    show();
    if (position >= duration) pause(reports.finished);
  };
  play.addEventListener("click", () => {
    if (ticker) {
      pause(reports.stopped);
      return;
    }
    if (position >= duration) position = 0;
    play.textContent = "Pause";
    ticker = setInterval(tick, 250);
    reports.started();
  });
  seek.addEventListener("input", () => {
    position = Number(seek.value);
    show();
  });
  player.querySelector(".controls").hidden = false;
  show();
})();
