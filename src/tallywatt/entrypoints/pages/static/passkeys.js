// Makes and uses passkeys: asks our server what to ask, asks the browser, and sends back what it says.
// Without this script, or without passkeys in the browser, its buttons stay hidden and the other ways in remain.

const can = typeof PublicKeyCredential === "function"
  && typeof PublicKeyCredential.parseCreationOptionsFromJSON === "function"
  && typeof PublicKeyCredential.parseRequestOptionsFromJSON === "function";

async function post(path, body, csrf) {
  const headers = { "content-type": "application/json", accept: "application/json" };
  if (csrf) headers["x-csrf-token"] = csrf;
  const answer = await fetch(path, { method: "POST", headers, body: JSON.stringify(body) });
  const told = await answer.json();
  if (!answer.ok) throw new Error(told.detail ?? String(answer.status));
  return told;
}

async function make(form) {
  const csrf = form.elements.csrf.value;
  const asked = await post("/account/passkeys/ask", {}, csrf);
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(asked.options);
  const credential = await navigator.credentials.create({ publicKey });
  const name = form.elements.name.value;
  return post("/account/passkeys", { challenge: asked.challenge, credential: credential.toJSON(), name }, csrf);
}

async function use() {
  const asked = await post("/sign-in/passkey/ask", {});
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(asked.options);
  const credential = await navigator.credentials.get({ publicKey });
  return post("/sign-in/passkey", { challenge: asked.challenge, credential: credential.toJSON() });
}

for (const form of document.querySelectorAll("form[data-passkey]")) {
  if (!can) continue;
  form.hidden = false;
  const says = form.querySelector("[role=alert]");
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = form.querySelector("button");
    button.disabled = true;
    says.hidden = true;
    try {
      const told = await (form.dataset.passkey === "make" ? make(form) : use());
      location.assign(told.to);
      if (told.to.startsWith(location.pathname)) location.reload();
    } catch (error) {
      // A person who closed the browser's question knows that they did.
      const closed = error.name === "NotAllowedError" || error.name === "AbortError";
      says.textContent = error.name === "InvalidStateError" ? form.dataset.known : closed ? form.dataset.closed : error.message;
      says.hidden = false;
    } finally {
      button.disabled = false;
    }
  });
}
