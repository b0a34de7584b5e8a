// Keeps a page current: when the server says that something has changed, the page is fetched again and the parts that
// differ are put in place. Without this script the same page works by reloading it.

const source = document.body.dataset.feed;
const PAUSE = 1000; // one look a second at most, however much happens

let waiting = false;
let missed = false;
let last = 0;
const opened = Date.now();
const told = new WeakMap();

function busy(part) {
  const active = document.activeElement;
  // Somebody writes in it, or was asked something that they have not answered.
  return (active && active !== document.body && part.contains(active) && active.matches("input, select, textarea"))
    || part.querySelector(":popover-open") !== null;
}

function place(next) {
  for (const part of document.querySelectorAll("[data-live][id]")) {
    const fresh = next.getElementById(part.id);
    if (!fresh || busy(part) || fresh.innerHTML === part.innerHTML) continue;
    // What a screen reader says by itself is said now and then, and not with every reading of the meter.
    if (part.dataset.slow && Date.now() - (told.get(part) ?? opened) < part.dataset.slow * 1000) continue;
    told.set(part, Date.now());
    const scrolled = [...part.querySelectorAll(".scroll")].map((one) => one.scrollTop);
    part.replaceChildren(...fresh.childNodes);
    part.querySelectorAll(".scroll").forEach((one, index) => { one.scrollTop = scrolled[index] ?? 0; });
    if (part.matches(".dials, .tiles")) {
      part.classList.remove("changed");
      requestAnimationFrame(() => part.classList.add("changed"));
    }
  }
  document.title = next.title;
}

async function look() {
  if (document.hidden) { missed = true; return; }
  if (waiting) return;
  waiting = true;
  await new Promise((done) => setTimeout(done, Math.max(0, last + PAUSE - Date.now())));
  try {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" }, cache: "no-store" });
    if (answer.ok) place(new DOMParser().parseFromString(await answer.text(), "text/html"));
    else if (answer.status === 401) location.reload();
  } catch {
    missed = true; // the server is away; the stream tells when it is back
  } finally {
    last = Date.now();
    waiting = false;
  }
}

function listen() {
  const stream = new EventSource(source);
  let broke = false;
  stream.addEventListener("changed", look);
  stream.addEventListener("open", () => { if (broke || missed) { broke = missed = false; look(); } });
  stream.addEventListener("error", () => {
    broke = true;
    // A stream that the server refused is not tried again by the browser.
    if (stream.readyState === EventSource.CLOSED) setTimeout(() => { stream.close(); listen(); }, 5000);
  });
  addEventListener("pagehide", () => stream.close(), { once: true });
}

if (source) {
  addEventListener("visibilitychange", () => { if (!document.hidden && missed) { missed = false; look(); } });
  listen();
}

// A page that waits for something without a stream looks again now and then, and moves on when there is news.

async function lookAgain(seconds) {
  await new Promise((done) => setTimeout(done, seconds * 1000));
  try {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" }, cache: "no-store", redirect: "manual" });
    // It leads on, perhaps to the provider's page, which a script may not follow and a reload does.
    if (answer.type === "opaqueredirect") { location.reload(); return; }
    const next = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (next.querySelector("main").innerHTML !== document.querySelector("main").innerHTML) { location.reload(); return; }
  } catch {
    // the server is away; the next look finds it
  }
  lookAgain(seconds);
}

const again = Number(document.body.dataset.again);
if (again) lookAgain(again);

// What was done is said once: who loads the page again, or sends its address to somebody, does not say it again.
if (new URLSearchParams(location.search).has("said")) {
  const address = new URL(location.href);
  address.searchParams.delete("said");
  history.replaceState(null, "", address);
}

// "/" goes to the search, as people who live in consoles expect.
addEventListener("keydown", (event) => {
  const search = document.getElementById("search");
  if (!search || event.key !== "/" || event.ctrlKey || event.metaKey || event.target.matches("input, select, textarea")) return;
  event.preventDefault();
  search.focus();
});
