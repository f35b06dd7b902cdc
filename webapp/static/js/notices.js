/* Says when the network is away or an answer was an error; messages leave once they were read. */
"use strict";

(() => {
  const READ_MS = 15_000;
  const connection = document.getElementById("connection");
  const AWAY = "You are offline. What you do is kept in this tab and sent once you are back.";
  const WORDS = {
    403: "The page was open for too long. Reload it and try again.",
    404: "That is not here any more.",
    429: "That was a bit much. Wait a minute, then try again.",
  };
  const say = (words) => {
    connection.textContent = words;
    connection.hidden = !words;
  };

  addEventListener("offline", () => say(AWAY));
  addEventListener("online", () => say(""));
  if (!navigator.onLine) say(AWAY);
  document.addEventListener("htmx:sendError", () => say(navigator.onLine ? "The server did not answer. Try again in a moment." : AWAY));
  document.addEventListener("htmx:responseError", ({ detail }) =>
    say(WORDS[detail.xhr.status] || "Something broke on our side. Try again in a moment."),
  );
  document.addEventListener("htmx:afterOnLoad", ({ detail }) => detail.successful && navigator.onLine && say(""));

  /* A message stays while it is looked at: under the pointer, or with the focus in it. */
  const messages = document.getElementById("messages");
  const leave = () => {
    if (!messages.firstElementChild) return;
    if (messages.matches(":hover, :focus-within")) setTimeout(leave, READ_MS);
    else messages.replaceChildren();
  };
  let timer = setTimeout(leave, READ_MS);
  new MutationObserver(() => {
    clearTimeout(timer);
    timer = setTimeout(leave, READ_MS);
  }).observe(messages, { childList: true });
})();
