import assert from "node:assert/strict";
import {
  nextBillId,
  seedBillIds,
} from "../../../../env/domains/telecom/account/bill_ids.ts";
import { find } from "../../../../env/domains/telecom/account/lookups.ts";
import { telecom } from "../../../../env/domains/telecom/domain.ts";
import { DataError } from "../../../../env/errors.ts";
import { parsePythonJson } from "../../../../env/python/python_json.ts";
import { TelecomWorld } from "../../../support/telecom_world.ts";

const PLAN =
  '{"plan_id": "P1", "name": "One", "data_limit_gb": 1, "price_per_month": 10, "data_refueling_price_per_gb": 2}';

function load(agent: string, user = "{}") {
  return telecom.bundle.load({
    agent: parsePythonJson(agent),
    user: parsePythonJson(user),
  });
}

Deno.test("loadTelecom() fills in a missing phone, as the original does", () => {
  const { user } = load("{}");
  const phone = user!.get("phone", "device")!;
  assert.equal(phone.get("network_technology_connected"), "5G");
  assert.deepEqual(
    [...phone.get("app_statuses") as Map<string, unknown>].map(([name]) =>
      name
    ),
    [
      "messaging",
      "browser",
    ],
  );
  assert.equal(
    new TelecomWorld(load("{}")).call("user", "can_send_mms").content,
    "Your messaging app can send MMS messages.",
  );
});

Deno.test("loadTelecom() converts ints to declared floats, and rejects undeclared fields", () => {
  const { agent } = load(`{"plans": [${PLAN}]}`);
  assert.match(agent.sortedJson("plans", "P1")!, /"data_limit_gb": 1\.0/);
  assert.throws(
    () => load('{"plans": [{"plan_id": "P1"}], "towers": []}'),
    (error) =>
      error instanceof DataError &&
      /agent's telecom database: 5 validation errors for TelecomDB\nplans\.0\.name/
        .test(error.message),
  );
});

Deno.test("rows that share an id are all hashed, and lookups find the first", () => {
  const other = PLAN.replace("One", "Other");
  const { agent } = load(`{"plans": [${PLAN}, ${other}]}`);
  assert.equal(find(agent, "plans", "P1").get("name"), "One");
  const { hash } = telecom.bundle;
  const [once] = [load(`{"plans": [${PLAN}]}`), load(`{"plans": []}`)];
  assert.notEqual(hash(agent, "agent"), hash(once.agent, "agent"));
  assert.throws(() => find(agent, "plans", "P1\u00002"), /not found/);
});

Deno.test("ids of new bills count up without a seed, differ between seeds, and are not hashed", () => {
  const { agent } = load("{}");
  const before = telecom.bundle.hash(agent, "agent");
  const [plain, seeded, same] = [agent.fork(), agent.fork(), agent.fork()];
  seedBillIds(seeded, "gold");
  seedBillIds(same, "gold");
  assert.deepEqual([nextBillId(plain), nextBillId(plain)], [
    "B00000001",
    "B00000002",
  ]);
  const id = nextBillId(seeded);
  assert.match(id, /^B[0-9a-f]{8}$/);
  assert.notEqual(id, "B00000001");
  assert.equal(nextBillId(same), id);
  assert.notEqual(nextBillId(same), id);
  assert.equal(telecom.bundle.hash(plain, "agent"), before);
});

Deno.test("a VPN that was slow once stays slow in later connections, but only in the same environment", () => {
  const base = load("{}");
  const call = (world: TelecomWorld, name: string) =>
    world.call("user", name).content;
  const one = new TelecomWorld(base);
  call(one, "connect_vpn");
  assert.match(call(one, "check_vpn_status"), /EXCELLENT: 'excellent'/);
  call(one, "disconnect_vpn");
  telecom.bundle.functions.user["break_vpn"]!(one.databases.user, new Map());
  call(one, "disconnect_vpn");
  call(one, "connect_vpn");
  assert.match(
    call(one, "check_vpn_status"),
    /<PerformanceLevel\.POOR: 'poor'>/,
  );
  const two = new TelecomWorld(base);
  call(two, "connect_vpn");
  assert.match(call(two, "check_vpn_status"), /EXCELLENT/);
});

Deno.test("APN settings that are not an object are stored, and break the phone for good", () => {
  const world = new TelecomWorld(load("{}"));
  const before = world.hashes().user_db;
  const broken = world.call(
    "user",
    "set_apn_settings",
    new Map([["apn_settings", "internet"]]),
  );
  assert.deepEqual(broken, {
    content: "Error: 'str' object has no attribute 'apn_name'",
    error: true,
  });
  assert.notEqual(world.hashes().user_db, before);
  for (const name of ["reset_apn_settings", "reboot_device"]) {
    assert.equal(world.call("user", name).error, true, name);
  }
  // The switch is toggled before the search fails.
  assert.equal(world.call("user", "toggle_data").error, true);
  assert.match(
    world.call("user", "check_network_status").content,
    /Mobile Data Enabled: No/,
  );
});
