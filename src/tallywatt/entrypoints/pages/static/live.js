// Keeps a page current: when the server says that something has changed, the page is fetched again and the parts that
// differ are put in place. Without this script the same page works by reloading it.

const source = document.body.dataset.feed;
const PAUSE = 1000; // one look a second at most, however much happens

let waiting = false;
let missed = false;
let last = 0;

function busy(part) {
  const active = document.activeElement;
  return active && active !== document.body && part.contains(active) && active.matches("input, select, textarea");
}

function place(next) {
  for (const part of document.querySelectorAll("[data-live][id]")) {
    const fresh = next.getElementById(part.id);
    if (!fresh || busy(part) || fresh.innerHTML === part.innerHTML) continue;
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
