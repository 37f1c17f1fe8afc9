import assert from "node:assert/strict";
import { Float } from "../../../../env/python/python_value.ts";
import { smallStore } from "../../../support/tau3_rows.ts";

const BALANCE = ["payment_methods", "card", "balance"];

Deno.test("modify_pending_order_items gives all items the last new variant's price and options", () => {
  const world = smallStore();
  const answer = world.call("modify_pending_order_items", {
    order_id: "#1",
    item_ids: ["a", "b"],
    new_item_ids: ["d", "c"],
    payment_method_id: "card",
  });
  assert.match(answer, /"status": "pending \(item modified\)"/);
  const items = ["0", "1"].map((i) =>
    ["item_id", "price"].map((key) => world.at("orders", "#1", "items", i, key))
  );
  assert.deepEqual(items, [["d", new Float(12)], ["c", new Float(12)]]);
  assert.deepEqual(world.at("users", "ann", ...BALANCE), new Float(13));
});

Deno.test("modify_pending_order_items without items records a refund of zero", () => {
  const world = smallStore();
  const answer = world.call("modify_pending_order_items", {
    order_id: "#1",
    item_ids: [],
    new_item_ids: "",
    payment_method_id: "paypal",
  });
  assert.match(answer, /"transaction_type": "refund", "amount": 0\.0/);
});

Deno.test("modify_pending_order_items rejects items, variants and balances with the original's messages", () => {
  const world = smallStore();
  const modify = (item_ids: unknown, new_item_ids: unknown, card = "card") =>
    world.call("modify_pending_order_items", {
      order_id: "#1",
      item_ids,
      new_item_ids,
      payment_method_id: card,
    });
  assert.equal(modify(["a", "a"], ["c", "c"]), "Error: a not found");
  assert.equal(
    modify(["a"], []),
    "Error: The number of items to be exchanged should match",
  );
  assert.equal(
    modify(["a"], ["a"]),
    "Error: The new item id should be different from the old item id",
  );
  assert.equal(modify(["a"], ["z"]), "Error: Variant not found");
  assert.equal(
    modify(["a"], ["e"]),
    "Error: New item e not found or available",
  );
  assert.equal(modify(["a"], ["c"], "x"), "Error: Payment method not found");
  assert.equal(modify(3, []), "Error: 'int' object is not iterable");
});

Deno.test("cancel_pending_order credits gift cards, including for refunds", () => {
  const world = smallStore();
  world.call("modify_pending_order_payment", {
    order_id: "#1",
    payment_method_id: "card",
  });
  assert.deepEqual(world.at("users", "ann", ...BALANCE), new Float(0));
  const answer = world.call("cancel_pending_order", {
    order_id: "#1",
    reason: "no longer needed",
  });
  assert.match(answer, /"cancel_reason": "no longer needed"/);
  assert.deepEqual(world.at("users", "ann", ...BALANCE), new Float(20));
  const history = world.at("orders", "#1", "payment_history");
  assert.equal(Array.isArray(history) && history.length, 6);
});

Deno.test("addresses are validated, with their fields in declaration order", () => {
  const world = smallStore();
  const address = {
    address1: "x",
    address2: "",
    city: 1,
    state: 2,
    country: 3,
  };
  const answer = world.call("modify_user_address", {
    user_id: "ann",
    ...address,
    zip: "1",
  });
  assert.deepEqual(
    answer.split("\n").filter((line) => !line.startsWith(" ")),
    ["Error: 3 validation errors for UserAddress", "city", "country", "state"],
  );
});

Deno.test("lookups ignore the case of names and emails, and find variants of any product", () => {
  const world = smallStore();
  const find = (zip: unknown, last_name: unknown = "LEE") =>
    world.call("find_user_id_by_name_zip", {
      first_name: "aNN",
      last_name,
      zip,
    });
  assert.equal(find("10001"), "ann");
  assert.equal(find(10001), "Error: User not found");
  assert.equal(
    find("10001", 1),
    "Error: 'int' object has no attribute 'lower'",
  );
  assert.equal(
    world.call("find_user_id_by_email", { email: "ANN@x.org" }),
    "ann",
  );
  assert.equal(
    world.call("get_item_details", { item_id: "e" }),
    '{"item_id": "e", "options": {"size": "e"}, "available": false, "price": 9.0}',
  );
  assert.equal(
    world.call("list_all_product_types", {}),
    '{"Lamp": "lamp"}',
  );
});
