/**
 * The console's styles and its script. The script keeps counts live and asks for passkeys: all else works without.
 *
 * @module
 */

/** Colours hold 4.5:1 on their grounds, light and dark. Live and test differ in colour, words and frame. */
export const styles = `
:root{--ground:#fff;--ink:#1b1d21;--soft:#5a6069;--line:#c9ced6;--card:#f5f6f8;--accent:#0b5cad;--bad:#a3121b;--good:#14663a;--warn:#7a4b00;--mode:#8a0f17;--mode-ink:#fff;font:16px/1.5 system-ui,sans-serif}
@media (prefers-color-scheme:dark){:root{--ground:#15171a;--ink:#e9ebee;--soft:#a8afb9;--line:#444b55;--card:#1f2226;--accent:#7db8f5;--bad:#ff9a9f;--good:#7fd6a4;--warn:#f0c070}}
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--ink)}
main{max-width:72rem;margin:0 auto;padding:1rem}
main:focus{outline:none}
h1{font-size:1.6rem;margin:.5rem 0 1rem}h2{font-size:1.15rem;margin:1rem 0 .5rem}h3,h4{font-size:1rem;margin:.75rem 0 .25rem}
.card h2:first-child,.card h3:first-child{margin-top:0}
a{color:var(--accent)}a:focus-visible,button:focus-visible,input:focus-visible,select:focus-visible,textarea:focus-visible,.scroll:focus-visible,summary:focus-visible{outline:3px solid var(--accent);outline-offset:2px}
.skip{position:absolute;left:-100rem}.skip:focus{position:static;display:block;padding:.5rem 1rem}
header.mode{background:var(--mode);color:var(--mode-ink);padding:.6rem 1rem}
header.mode p{max-width:72rem;margin:0 auto}header.mode strong{font-size:1.35rem;letter-spacing:.12em;margin-right:.5rem}header.mode span{display:block}
.observe{--mode:#6b4300}
.test{--mode:#e3f1ff;--mode-ink:#0a3a66}
.test body{border:10px dashed #2f7fc4;min-height:100vh}
.test header.mode{text-align:center;border-bottom:3px dashed #2f7fc4}
@media (prefers-color-scheme:dark){.test{--mode:#0d2f4d;--mode-ink:#d5eaff}}
nav[aria-label=Pages]{display:flex;flex-wrap:wrap;gap:1rem;padding:.6rem 1rem;border-bottom:1px solid var(--line);max-width:74rem;margin:0 auto}
nav .who{margin-left:auto;color:var(--soft)}
nav.pages{display:flex;gap:1rem;margin:.5rem 0}
.columns{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(22rem,100%),1fr));gap:1rem}
.card{background:var(--card);border:1px solid var(--line);border-radius:.5rem;padding:1rem;min-width:0;overflow-wrap:anywhere}
.alarming,.refused{border-left:.4rem solid var(--bad);padding-left:.8rem}
.notice{border-left:.4rem solid var(--good);padding:.4rem .8rem;background:var(--card)}
.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%}caption{text-align:left;color:var(--soft);padding:.25rem 0}
th,td{text-align:left;padding:.35rem .6rem;border-bottom:1px solid var(--line);vertical-align:top;font-weight:normal}
thead th{color:var(--soft)}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.25rem 1rem;margin:0}dt{color:var(--soft)}dd{margin:0;min-width:0}
ul,ol{padding-left:1.25rem}.halts li{margin-bottom:.5rem}.halts form{display:inline-block}
code{font:.9em ui-monospace,monospace;overflow-wrap:anywhere}
label{display:block;margin:.5rem 0}label span{display:block;color:var(--soft)}
input,select,textarea{width:100%;max-width:32rem;font:inherit;padding:.4rem;color:inherit;background:var(--ground);border:1px solid var(--soft);border-radius:.3rem}
textarea{font:.85rem ui-monospace,monospace}
button{font:inherit;padding:.45rem 1rem;border:2px solid var(--accent);background:var(--ground);color:var(--accent);border-radius:.3rem;cursor:pointer;margin:.25rem 0}
button.danger{border-color:var(--bad);color:var(--bad)}
.filter{display:flex;flex-wrap:wrap;gap:1rem;align-items:end}.filter label{flex:1 1 12rem}
.state{border:2px solid;border-radius:1rem;padding:0 .6rem}.state.good{color:var(--good)}.state.open{color:var(--warn);border-style:dashed}.state.bad{color:var(--bad);border-style:double;border-width:4px}
iframe{width:100%;height:16rem;border:1px solid var(--line);background:#fff;border-radius:.3rem}
meter,progress{width:8rem;max-width:100%}
.chart{width:100%;max-width:48rem;background:var(--card)}.chart line{stroke:var(--soft)}.bar0{fill:var(--good)}.bar1{fill:var(--warn)}.bar2{fill:var(--bad)}
.sr{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
.who-looks{color:var(--soft)}
@media (max-width:30rem){.test body{border-width:5px}nav .who{margin-left:0;width:100%}dl{grid-template-columns:1fr}dt{margin-top:.4rem}}
`.trimStart();

/** Asks for the counts of a release every two seconds while the page is looked at; asks the browser for passkeys. */
export const script = `
"use strict";
for (const place of document.querySelectorAll("[data-live]")) {
  let said = "";
  const write = (counts) => {
    for (const shown of place.querySelectorAll("[data-count]")) {
      const value = counts[shown.dataset.count];
      if (value === undefined) continue;
      if (shown.tagName === "PROGRESS") shown.value = value;
      else shown.textContent = String(value);
    }
    const now = counts.state + (counts.running ? "" : ": " + counts.settled + " entries settled");
    if (now !== said) place.querySelector("[data-count=said]").textContent = now;
    said = now;
  };
  const ask = async () => {
    try {
      if (document.visibilityState === "visible") {
        const answer = await fetch(place.dataset.live, { headers: { accept: "application/json" } });
        if (answer.status === 401) return location.reload();
        if (answer.ok) {
          const counts = await answer.json();
          write(counts);
          if (!counts.running) return;
        }
      }
    } catch {}
    setTimeout(ask, 2000);
  };
  setTimeout(ask, 500);
}

const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (sign) => sign.charCodeAt(0));
const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\\+/g, "-").replace(/\\//g, "_").replace(/=+$/, "");
for (const place of document.querySelectorAll("[data-passkey]")) {
  if (!window.PublicKeyCredential) continue;
  place.hidden = false;
  const { passkey: what, challenge, host, name } = place.dataset;
  const form = place.querySelector("form");
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const said = form.querySelector("[role=status]");
    const common = { challenge: bytes(challenge), timeout: 120000 };
    try {
      const made = what === "get"
        ? await navigator.credentials.get({ publicKey: { ...common, rpId: host, userVerification: "required" } })
        : await navigator.credentials.create({ publicKey: {
            ...common,
            rp: { id: host, name: "mailfuse" },
            user: { id: crypto.getRandomValues(new Uint8Array(16)), name, displayName: name },
            pubKeyCredParams: [-8, -7, -257].map((alg) => ({ type: "public-key", alg })),
            authenticatorSelection: { residentKey: "required", userVerification: "required" },
            attestation: "none",
          } });
      const { response } = made;
      const parts = what === "get" ? ["clientDataJSON", "authenticatorData", "signature"] : ["clientDataJSON", "attestationObject"];
      form.elements.answer.value = JSON.stringify({
        id: made.id, rawId: made.id, type: made.type, clientExtensionResults: {},
        response: Object.fromEntries(parts.map((part) => [part, text(response[part])])),
      });
      form.submit();
    } catch (error) {
      said.textContent = "The passkey gave no answer (" + error.name + "). Nothing was confirmed.";
    }
  });
}
`.trimStart();
