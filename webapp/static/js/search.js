/* The search box: an editable combobox with one grouped listbox, as the ARIA authoring practices
   have it. Without script it is a plain form. The focus never leaves the input. */
"use strict";

(() => {
  const form = document.querySelector("form.search");
  if (!form) return;
  const input = form.querySelector("input");
  const popup = form.querySelector(".popup");
  const words = form.querySelector(".popup-words");
  const listbox = form.querySelector("[role=listbox]");
  const announcement = document.getElementById("announcement");

  const DEBOUNCE_MS = 50;
  const SETTLED_MS = 400; /* so long after the last answer it is announced, and posters are fetched */
  const GIVEN_UP_MS = 1500;
  const SHOWN = 6;
  const SHOWN_BESIDE = 4; /* titles, where people and genres stand below them */
  const SHOWN_NAMES = 3;

  let active = -1; /* which option is active, -1 none */
  let sequence = 0; /* of answers, only the one to the latest question counts */
  let asking = null; /* the request under way: its text, and how to abort it */
  let debouncing = 0;
  let settling = 0;

  const options = () => [...listbox.querySelectorAll("[role=option]")];
  const isOpen = () => !popup.hidden;
  /* The search page without a text shows all that the canvas would. */
  const isCanvas = document.getElementById("main").dataset.surface === "prequery";

  /* An intent: one run of typing, to a choice or to giving up; reported once, at its end. */
  const intent = {
    query: "",
    leaving: 0,
    /* What is deleted from the end was typed all the same. */
    typed(text) {
      clearTimeout(this.leaving);
      if (!this.query.startsWith(text.trim())) this.query = text.trim();
    },
    end(value) {
      clearTimeout(this.leaving);
      const query = this.query.slice(0, 200);
      this.query = "";
      if (query && value) Events.record("search", { surface: "search", query, value });
    },
    givenUp() {
      this.end("quit");
    },
  };

  const setActive = (place) => {
    const all = options();
    if (all[active]) all[active].setAttribute("aria-selected", "false");
    active = place;
    const option = all[active];
    if (!option) {
      active = -1;
      input.removeAttribute("aria-activedescendant");
      return;
    }
    option.setAttribute("aria-selected", "true");
    option.scrollIntoView({ block: "nearest" });
    input.setAttribute("aria-activedescendant", option.id);
  };

  /* An answer that comes all the same is an older question's, and not shown. */
  const dropQuestion = () => {
    clearTimeout(debouncing);
    if (asking) asking.controller.abort();
    asking = null;
    sequence += 1;
  };

  const close = () => {
    clearTimeout(settling);
    dropQuestion();
    popup.hidden = true;
    input.setAttribute("aria-expanded", "false");
    setActive(-1);
  };

  const open = () => {
    popup.hidden = false;
    input.setAttribute("aria-expanded", String(!listbox.hidden));
  };

  const make = (tag, className, text) => {
    const element = document.createElement(tag);
    element.className = className;
    if (text) element.textContent = text;
    return element;
  };

  const searchAddress = (query) => `${form.action}?${new URLSearchParams({ q: query })}`;

  const makeOption = (kind, href, name, note) => {
    const option = make("a", `option option-${kind}`);
    option.href = href;
    option.tabIndex = -1;
    option.dataset.kind = kind;
    option.setAttribute("role", "option");
    option.setAttribute("aria-selected", "false");
    const text = make("span", "option-text");
    text.append(make("span", "option-name", name));
    if (note) text.append(" ", make("span", "option-note", note));
    option.append(text);
    return option;
  };

  const titleOption = (title) => {
    const note = [title.year, title.genre].filter(Boolean).join(" · ");
    const option = makeOption("title", title.url, title.name, note);
    option.dataset.title = title.id;
    option.dataset.slot = title.slot;
    const poster = make("img", "option-poster");
    poster.alt = "";
    poster.width = 40;
    poster.height = 60;
    poster.dataset.src = title.poster;
    option.prepend(poster);
    return option;
  };

  const namedOption = (kind) => (named) => makeOption(kind, named.url, named.name);

  const queryOption = (kind) => (query) => {
    const option = makeOption(kind, searchAddress(query), query, kind === "recent" ? "Delete forgets it" : "");
    option.dataset.query = query;
    if (kind !== "recent") return option;
    option.querySelector(".option-note").classList.add("visually-hidden");
    const cross = make("span", "option-cross", "×");
    cross.dataset.forget = "";
    cross.setAttribute("aria-hidden", "true");
    option.append(cross);
    return option;
  };

  const makeGroup = (heading, row, made) => {
    const group = make("div", "option-group");
    const label = make("div", "option-heading", heading);
    label.id = `q-group-${listbox.childElementCount}`;
    label.setAttribute("role", "presentation");
    group.setAttribute("role", "group");
    group.setAttribute("aria-labelledby", label.id);
    if (row) group.dataset.row = row;
    group.append(label, ...made);
    listbox.append(group);
  };

  const count = (number, one, many) => (number ? `${number} ${number === 1 ? one : many}` : "");

  /* What is said above the options: what was understood, meant, or not found. */
  const wordsOf = (answer) => {
    const said = [];
    const { query, corrected, titles, unavailable, people, genres } = answer;
    if (!query.trim()) return "";
    const understood = answer.filters.map(({ kind, value, is_negated }) => {
      const like = kind === "like" ? "like " : "";
      return `${is_negated ? "no " : ""}${like}${value}`;
    });
    if (understood.length) said.push(`Understood: ${understood.join(", ")}.`);
    if (unavailable.length) said.push(`Not available here: ${unavailable.join(", ")}.`);
    else if (!titles.length && !people.length && !genres.length) said.push(`Nothing matches “${query}”.`);
    if (corrected && titles.length) said.push(`Did you mean “${corrected}”?`);
    return said.join(" ");
  };

  const announce = (answer) => {
    const found = [
      count(answer.titles.length, "title", "titles"),
      count(answer.people.length, "person", "people"),
      count(answer.genres.length, "genre", "genres"),
    ].filter(Boolean);
    const number = options().length;
    const shown = found.length && number ? found.join(", ") : count(number, "suggestion", "suggestions");
    announcement.textContent = [words.textContent, shown && `${shown}.`].filter(Boolean).join(" ");
  };

  const settle = (answer) => {
    announce(answer);
    listbox.querySelectorAll("img[data-src]").forEach((poster) => {
      poster.src = poster.dataset.src;
      delete poster.dataset.src;
    });
  };

  /* Posters that were on the screen a moment ago stay on it. */
  const show = (answer) => {
    const known = new Map([...listbox.querySelectorAll("img[src]")].map((img) => [img.getAttribute("src"), img]));
    setActive(-1);
    listbox.replaceChildren();
    const isNamed = answer.people.length || answer.genres.length;
    const groups = [
      ["Titles", "typed", answer.titles.slice(0, isNamed ? SHOWN_BESIDE : SHOWN), titleOption],
      ["People", "", answer.people.slice(0, SHOWN_NAMES), namedOption("person")],
      ["Genres", "", answer.genres.slice(0, SHOWN_NAMES), namedOption("genre")],
      ["You may also like", "near", answer.near.slice(0, SHOWN), titleOption],
      ["Your recent searches", "", answer.recent.slice(0, SHOWN_NAMES), queryOption("recent")],
      ["For you, now", "suggestions", answer.suggestions.slice(0, SHOWN), titleOption],
      ["Trending searches", "", answer.trending.slice(0, SHOWN_NAMES), queryOption("trending")],
    ];
    for (const [heading, row, found, makeOne] of groups) {
      if (found.length) makeGroup(heading, row, found.map(makeOne));
    }
    if (answer.titles.length) {
      listbox.append(makeOption("all", searchAddress(answer.query.trim()), `All results for “${answer.query.trim()}”`));
    }
    options().forEach((option, place) => (option.id = `q-option-${place}`));
    listbox.querySelectorAll("img[data-src]").forEach((poster) => {
      const before = known.get(poster.dataset.src);
      if (before) poster.replaceWith(before);
    });
    popup.dataset.slate = answer.slate;
    popup.dataset.surface = answer.surface;
    popup.dataset.query = answer.query.trim().slice(0, 200);
    words.textContent = wordsOf(answer);
    words.hidden = !words.textContent;
    listbox.hidden = !options().length;
    if (listbox.hidden && words.hidden) close();
    else open();
    popup.dispatchEvent(new CustomEvent("marquee:shown", { bubbles: true }));
    clearTimeout(settling);
    settling = setTimeout(settle, SETTLED_MS, answer);
  };

  const refuse = (text) => {
    listbox.replaceChildren();
    listbox.hidden = true;
    words.textContent = text;
    words.hidden = false;
    open();
    announcement.textContent = text;
  };

  /* Asks for the text as it stands, once: a click is a focus and a click, and one question. Each
     question makes a slate, and the newest slate is the one that is shown. */
  const ask = async () => {
    const text = input.value;
    if (asking && asking.text === text) return;
    dropQuestion();
    const mine = sequence;
    const controller = new AbortController();
    asking = { text, controller };
    try {
      const address = `${form.dataset.suggest}?${new URLSearchParams({ q: text })}`;
      const response = await fetch(address, { signal: controller.signal, credentials: "same-origin" });
      const answer = await response.json();
      if (mine !== sequence) return;
      if (response.ok) show(answer);
      else if (response.status === 400) refuse(answer.q.join(" "));
      else close();
    } catch {
      if (mine === sequence) close();
    } finally {
      if (mine === sequence) asking = null;
    }
  };

  const askSoon = () => {
    dropQuestion();
    debouncing = setTimeout(ask, DEBOUNCE_MS);
  };

  const openFresh = () => {
    if (isOpen() || (isCanvas && !input.value.trim())) return;
    ask();
  };

  const forget = async (option) => {
    const place = options().indexOf(option);
    const address = `${form.dataset.searches}?${new URLSearchParams({ q: option.dataset.query })}`;
    const response = await fetch(address, {
      method: "DELETE",
      credentials: "same-origin",
      headers: { "X-CSRFToken": Events.token() },
    }).catch(() => null);
    if (!response || !response.ok) return;
    const group = option.closest("[role=group]");
    option.remove();
    if (!group.querySelector("[role=option]")) group.remove();
    options().forEach((other, number) => (other.id = `q-option-${number}`));
    active = -1;
    setActive(Math.min(place, options().length - 1));
    announcement.textContent = `Forgotten: ${option.dataset.query}.`;
  };

  const move = (step) => {
    const number = options().length;
    /* Past either end lies the input itself. */
    setActive(active + step < -1 ? number - 1 : active + step >= number ? -1 : active + step);
  };

  const KEYS = {
    ArrowDown(event) {
      if (!isOpen()) ask();
      else if (!event.altKey) move(1);
      return true;
    },
    ArrowUp(event) {
      if (event.altKey) close();
      else if (!isOpen()) ask();
      else move(-1);
      return true;
    },
    Enter() {
      const option = options()[active];
      if (!isOpen() || !option) return false;
      option.click();
      return true;
    },
    Escape() {
      if (isOpen()) {
        close();
        return true;
      }
      if (!input.value) return false;
      intent.givenUp();
      input.value = "";
      return true;
    },
    Delete() {
      const option = options()[active];
      if (!option || option.dataset.kind !== "recent") return false;
      forget(option);
      return true;
    },
    Tab() {
      close();
      return false;
    },
  };
  const CARET = new Set(["Home", "End", "ArrowLeft", "ArrowRight"]); /* these move in the text */

  input.addEventListener("keydown", (event) => {
    if (event.isComposing || event.ctrlKey || event.metaKey) return;
    if (CARET.has(event.key)) setActive(-1);
    const act = Object.hasOwn(KEYS, event.key) ? KEYS[event.key] : null;
    if (act && act(event)) event.preventDefault();
  });
  input.addEventListener("input", () => {
    intent.typed(input.value);
    setActive(-1);
    if (isCanvas && !input.value.trim()) close();
    else askSoon();
  });
  input.addEventListener("focus", () => {
    clearTimeout(intent.leaving);
    if (!input.value.trim()) openFresh();
  });
  input.addEventListener("click", openFresh);

  /* A pointer chooses without taking the focus from the input. */
  popup.addEventListener("mousedown", (event) => event.preventDefault());
  popup.addEventListener("click", (event) => {
    const option = event.target.closest("[role=option]");
    if (!option) return;
    if (event.target.closest("[data-forget]")) {
      event.preventDefault();
      forget(option);
      return;
    }
    /* A chosen title is reported by events.js, a search by the page it leads to. */
    const { kind } = option.dataset;
    intent.end(kind === "person" || kind === "genre" ? kind : "");
    if (!event.ctrlKey && !event.metaKey && !event.shiftKey) close();
  });

  form.addEventListener("focusout", (event) => {
    if (form.contains(event.relatedTarget)) return;
    close();
    clearTimeout(intent.leaving);
    intent.leaving = setTimeout(() => intent.givenUp(), GIVEN_UP_MS);
  });
  form.addEventListener("submit", (event) => {
    if (!input.value.trim()) {
      event.preventDefault();
      openFresh();
      return;
    }
    intent.end("");
    close();
  });
  /* Before events.js sends what is left: this listener runs in the capturing phase. */
  addEventListener("pagehide", () => intent.givenUp(), { capture: true });
  addEventListener("pageshow", (event) => event.persisted && close());

  input.setAttribute("role", "combobox");
  input.setAttribute("aria-autocomplete", "list");
  input.setAttribute("aria-haspopup", "listbox");
  input.setAttribute("aria-controls", listbox.id);
  input.setAttribute("aria-expanded", "false");
})();
