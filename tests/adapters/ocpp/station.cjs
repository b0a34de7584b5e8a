// A station on npm's ocpp-rpc: makes the calls of its plan, one after the other, checks answers by its own schemas, prints them.
const plan = JSON.parse(process.argv[2]);
const { RPCClient } = require(plan.library);

(async () => {
  const station = new RPCClient({
    endpoint: plan.endpoint,
    identity: plan.identity,
    password: plan.password,
    protocols: plan.protocols,
    strictMode: plan.strict,
    reconnect: false,
  });
  const asked = [];
  station.handle(({ method, params }) => {
    asked.push([method, params]);
    return { status: "Accepted" };
  });
  await station.connect();
  const answers = [];
  let transactionId = null;
  for (const [action, payload] of plan.calls) {
    const told = JSON.parse(JSON.stringify(payload).replaceAll('"$transaction"', String(transactionId)));
    const answer = await station.call(action, told);
    transactionId = answer.transactionId ?? transactionId;
    answers.push(answer);
  }
  const protocol = station.protocol;
  await station.close();
  console.log(JSON.stringify({ protocol, answers, asked }));
})().catch((error) => {
  console.error(String(error.stack));
  process.exit(1);
});
