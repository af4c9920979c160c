// The demonstration page: the form's fields go to the API as they are; the API says what is wrong.

const form = document.querySelector("#lead");
const answer = document.querySelector("#answer");
const next = document.querySelector("#next");
const config = await (await fetch("/config.json")).json();

// One journey per visit: every later call carries the same two ids.
const journey = remembered("journey", () => ({
  event_id: crypto.randomUUID(),
  user_session_id: crypto.randomUUID(),
  lead_created_at: new Date().toISOString(),
  revision: 0,
}));

form.addEventListener("submit", async (submitted) => {
  submitted.preventDefault();
  const buys = submitted.submitter?.value === "buy";
  answer.textContent = "…";
  next.hidden = true;
  try {
    await (buys ? buy() : leaveLead());
  } catch (problem) {
    answer.textContent = problem.message;
  }
});

async function leaveLead() {
  journey.revision += 1;
  sessionStorage.setItem("journey", JSON.stringify(journey));
  await call("/leads", { ...person(), revision: journey.revision, lead_created_at: journey.lead_created_at });
  answer.textContent = "Contacto recebido. Obrigado!";
}

async function buy() {
  const intent = await call("/payment-intents", {
    ...person(),
    product_id: "cafe-com-vendas-ticket",
    quantity: 1,
  });
  answer.textContent = `Reserva criada: ${intent.payment_intent_id}.`;
  if (config.sandbox_url) {
    const body = JSON.stringify({ payment_intent_id: intent.payment_intent_id, outcome: "succeeded", deliveries: 1, shuffle: false });
    next.textContent = `Aqui não há banco. Para pagar a fingir:\n\ncurl -X POST ${config.sandbox_url}/_control/pay -H 'content-type: application/json' -d '${body}'`;
    next.hidden = false;
  }
}

function person() {
  const fields = new FormData(form);
  const given = (name) => fields.get(name) !== null;
  return {
    event_id: journey.event_id,
    user_session_id: journey.user_session_id,
    full_name: fields.get("full_name"),
    email: fields.get("email"),
    phone: fields.get("phone"),
    language: document.documentElement.lang,
    page_url: location.href,
    referrer: document.referrer || undefined,
    consent: {
      marketing: given("marketing"),
      analytics: given("analytics"),
      preferences: given("preferences"),
      method: "checkbox",
      timestamp: new Date().toISOString(),
      version: "1",
    },
  };
}

async function call(path, body) {
  const reply = await fetch(config.api_url + path, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  const said = await reply.json().catch(() => ({}));
  if (reply.ok) return said;
  const faults = (said.errors ?? []).map((fault) => `${fault.field}: ${fault.detail}`);
  throw new Error(faults.join("; ") || said.detail || said.title || `Não foi possível (${reply.status}).`);
}

function remembered(name, make) {
  const value = JSON.parse(sessionStorage.getItem(name)) ?? make();
  sessionStorage.setItem(name, JSON.stringify(value));
  return value;
}
