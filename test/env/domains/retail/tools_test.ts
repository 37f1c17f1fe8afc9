import assert from "node:assert/strict";
import { callTool } from "../../../../env/call_tool.ts";
import type { Database } from "../../../../env/database.ts";
import { retail } from "../../../../env/domains/retail/domain.ts";
import { printPythonJson } from "../../../../env/python/python_json.ts";
import { action, smallDatabase } from "../../../support/retail_world.ts";

const ADDRESS =
  `"address1": 1.0, "address2": null, "city": "", "state": [], "country": "x", "zip": "9000"`;

function call(database: Database, name: string, args?: string): string {
  return callTool(retail, database, action(name, args));
}

/** Returns a field of a row as JSON. A missing row or field is printed as `null`. */
function part(
  database: Database,
  table: string,
  id: string,
  field: string,
): string {
  return printPythonJson(database.get(table, id)?.get(field) ?? null);
}

Deno.test("retail: tools reject calls with tau-bench's messages and change nothing", () => {
  const items = (item_ids: string, new_item_ids = item_ids, pay = "paypal_1") =>
    `"item_ids": ${item_ids}, "new_item_ids": ${new_item_ids}, "payment_method_id": "${pay}"`;
  const refusals: [name: string, args: string, observation: string][] = [
    ["find_user_id_by_email", '{"email": "nobody"}', "Error: user not found"],
    ["get_user_details", '{"user_id": 1}', "Error: user not found"],
    ["get_order_details", '{"order_id": "A"}', "Error: order not found"],
    ["get_product_details", '{"product_id": 10}', "Error: product not found"],
    [
      "get_product_details",
      '{"product_id": []}',
      "Error: unhashable type: 'list'",
    ],
    ["Think", "{}", "Unknown action Think"],
    ["constructor", "{}", "Unknown action constructor"],
    [
      "think",
      "{}",
      "Error: Think.invoke() missing 1 required positional argument: 'thought'",
    ],
    [
      "cancel_pending_order",
      '{"data": 1}',
      "Error: CancelPendingOrder.invoke() got multiple values for keyword argument 'data'",
    ],
    [
      "cancel_pending_order",
      '{"reason": "", "x": 1}',
      "Error: CancelPendingOrder.invoke() got an unexpected keyword argument 'x'",
    ],
    [
      "exchange_delivered_order_items",
      '{"order_id": "#B"}',
      "Error: ExchangeDeliveredOrderItems.invoke() missing 3 required positional arguments: 'item_ids', 'new_item_ids', and 'payment_method_id'",
    ],
    [
      "cancel_pending_order",
      '{"order_id": "#B", "reason": 1}',
      "Error: non-pending order cannot be cancelled",
    ],
    [
      "cancel_pending_order",
      '{"order_id": "#A", "reason": "No longer needed"}',
      "Error: invalid reason",
    ],
    [
      "modify_pending_order_items",
      `{"order_id": "#B", ${items("[]")}}`,
      "Error: non-pending order cannot be modified",
    ],
    [
      "modify_pending_order_items",
      `{"order_id": "#A", ${items('["101", "101", "101"]')}}`,
      "Error: 101 not found",
    ],
    [
      "modify_pending_order_items",
      `{"order_id": "#A", ${items("[1.0]")}}`,
      "Error: 1.0 not found",
    ],
    [
      "modify_pending_order_items",
      `{"order_id": "#A", ${items('[{"a": null}]')}}`,
      "Error: {'a': None} not found",
    ],
    [
      "modify_pending_order_items",
      `{"order_id": "#A", ${items('"101"')}}`,
      "Error: 1 not found",
    ],
    [
      "modify_pending_order_items",
      `{"order_id": "#A", ${items('{"101": 1}')}}`,
      "Error: 'dict' object has no attribute 'count'",
    ],
    [
      "modify_pending_order_items",
      `{"order_id": "#A", ${items("[]", "null")}}`,
      "Error: object of type 'NoneType' has no len()",
    ],
    [
      "modify_pending_order_items",
      `{"order_id": "#A", ${items("7")}}`,
      "Error: 'int' object is not iterable",
    ],
    [
      "modify_pending_order_items",
      `{"order_id": "#A", ${items('["101"]', "[]")}}`,
      "Error: the number of items to be exchanged should match",
    ],
    [
      "modify_pending_order_items",
      `{"order_id": "#A", ${items('["101"]', '["103"]')}}`,
      "Error: new item 103 not found or available",
    ],
    [
      "modify_pending_order_items",
      `{"order_id": "#A", ${items('["101"]', '["102"]', "paypal_2")}}`,
      "Error: payment method not found",
    ],
    [
      "modify_pending_order_items",
      `{"order_id": "#A", ${items('["101"]', '["102"]', "gift_card_1")}}`,
      "Error: insufficient gift card balance to pay for the new item",
    ],
    [
      "exchange_delivered_order_items",
      `{"order_id": "#B", ${items('["101"]', '["102"]', "gift_card_1")}}`,
      "Error: insufficient gift card balance to pay for the price difference",
    ],
    [
      "exchange_delivered_order_items",
      `{"order_id": "#A", ${items("[]")}}`,
      "Error: non-delivered order cannot be exchanged",
    ],
    [
      "modify_pending_order_payment",
      '{"order_id": "#A", "payment_method_id": "paypal_1"}',
      "Error: the new payment method should be different from the current one",
    ],
    [
      "modify_pending_order_payment",
      '{"order_id": "#A", "payment_method_id": "gift_card_1"}',
      "Error: insufficient gift card balance to pay for the order",
    ],
    [
      "modify_pending_order_address",
      `{"order_id": "#B", ${ADDRESS}}`,
      "Error: non-pending order cannot be modified",
    ],
    [
      "modify_user_address",
      `{"user_id": "cy", ${ADDRESS}}`,
      "Error: user not found",
    ],
    [
      "return_delivered_order_items",
      '{"order_id": "#B", "item_ids": ["102"], "payment_method_id": "paypal_1"}',
      "Error: some item not found",
    ],
    [
      "return_delivered_order_items",
      '{"order_id": "#A", "item_ids": [], "payment_method_id": "paypal_1"}',
      "Error: non-delivered order cannot be returned",
    ],
  ];
  for (const [name, args, observation] of refusals) {
    const database = smallDatabase();
    assert.equal(call(database, name, args), observation);
    assert.deepEqual(database.changes(), []);
  }
});

Deno.test("retail: lookups ignore case and print rows unchanged", () => {
  const database = smallDatabase();
  assert.equal(
    call(
      database,
      "find_user_id_by_email",
      '{"email": "ANN.\u212a@EXAMPLE.com"}',
    ),
    "ann",
  );
  const byName = '{"first_name": "BO", "last_name": "kolb", "zip": "9000"}';
  assert.equal(call(database, "find_user_id_by_name_zip", byName), "bo");
  assert.equal(
    call(database, "list_all_product_types"),
    '{"Clock": "9", "Lamp": "10"}',
  );
  assert.match(
    call(database, "get_product_details", '{"product_id": "10"}'),
    /"price": 5.0\}\}\}$/,
  );
  assert.equal(call(database, "think", '{"thought": 1}'), "");
  assert.equal(
    call(database, "transfer_to_human_agents", '{"summary": 1}'),
    "Transfer successful",
  );
});

Deno.test("retail: find_user_id_by_name_zip evaluates the last name only if the first name matches", () => {
  const find = (first: string, last: string) =>
    call(
      smallDatabase(),
      "find_user_id_by_name_zip",
      `{"first_name": ${first}, "last_name": ${last}, "zip": 1}`,
    );
  assert.equal(find('"Cy"', "null"), "Error: user not found");
  assert.equal(
    find('"ann"', "null"),
    "Error: 'NoneType' object has no attribute 'lower'",
  );
  assert.equal(
    find("1", '"x"'),
    "Error: 'int' object has no attribute 'lower'",
  );
});

Deno.test("retail: find_user_id_by_name_zip compares the latest stored zip code by value", () => {
  const database = smallDatabase();
  call(
    database,
    "modify_user_address",
    `{"user_id": "ann", ${ADDRESS.replace('"9000"', "9000")}}`,
  );
  const find = (zip: string) =>
    call(
      database,
      "find_user_id_by_name_zip",
      `{"first_name": "Ann", "last_name": "Kolb", "zip": ${zip}}`,
    );
  assert.equal(find("9000.0"), "ann");
  assert.equal(find('"9000"'), "Error: user not found");
  assert.equal(
    part(database, "users", "ann", "address"),
    `{"address1": 1.0, "address2": null, "city": "", "state": [], "country": "x", "zip": 9000}`,
  );
});

Deno.test("retail: NaN as a zip code matches no user, but a list that contains it does", () => {
  const database = smallDatabase();
  const find = (zip: string) =>
    call(
      database,
      "find_user_id_by_name_zip",
      `{"first_name": "ann", "last_name": "kolb", "zip": ${zip}}`,
    );
  const move = (zip: string) =>
    call(
      database,
      "modify_user_address",
      `{"user_id": "ann", ${ADDRESS.replace('"9000"', zip)}}`,
    );
  assert.match(move("NaN"), /"zip": NaN/);
  assert.equal(find("NaN"), "Error: user not found");
  move("[NaN]");
  assert.equal(find("[NaN]"), "ann");
});

Deno.test("retail: cancelling refunds every history entry, and credits gift cards immediately", () => {
  const database = smallDatabase();
  call(
    database,
    "modify_pending_order_payment",
    '{"order_id": "#C", "payment_method_id": "paypal_1"}',
  );
  assert.match(
    part(database, "users", "ann", "payment_methods"),
    /"balance": 40.2/,
  );
  call(
    database,
    "cancel_pending_order",
    '{"order_id": "#C", "reason": "ordered by mistake"}',
  );
  const history = database.get("orders", "#C")?.get("payment_history");
  assert.equal(Array.isArray(history) && history.length, 6);
  assert.match(
    part(database, "users", "ann", "payment_methods"),
    /"balance": 80.6/,
  );
  assert.equal(part(database, "orders", "#C", "status"), '"cancelled"');
});

Deno.test("retail: modifying items does not round the amount and is possible only once", () => {
  const database = smallDatabase();
  const args =
    '{"order_id": "#A", "item_ids": ["101", "101"], "new_item_ids": ["102", "101"], "payment_method_id": "paypal_1"}';
  call(database, "modify_pending_order_items", args);
  assert.match(
    part(database, "orders", "#A", "payment_history"),
    /"payment", "amount": 20.1, "payment_method_id": "paypal_1"\}\]$/,
  );
  assert.equal(
    part(database, "orders", "#A", "status"),
    '"pending (item modified)"',
  );
  assert.equal(
    call(database, "modify_pending_order_items", args),
    "Error: non-pending order cannot be modified",
  );
  const items = database.get("orders", "#A")?.get("items");
  assert.match(
    printPythonJson(items ?? null),
    /"item_id": "102", "price": 30.2, "options": \{"color": "blue"\}/,
  );
});

Deno.test("retail: empty item lists are accepted in every form", () => {
  for (const empty of ["[]", '""', "{}"]) {
    const database = smallDatabase();
    call(
      database,
      "modify_pending_order_items",
      `{"order_id": "#A", "item_ids": ${empty}, "new_item_ids": [], "payment_method_id": "gift_card_1"}`,
    );
    assert.match(
      part(database, "orders", "#A", "payment_history"),
      /"refund", "amount": 0, /,
    );
    call(
      database,
      "return_delivered_order_items",
      `{"order_id": "#B", "item_ids": ${empty}, "payment_method_id": "gift_card_1"}`,
    );
    assert.equal(part(database, "orders", "#B", "return_items"), "[]");
  }
});

Deno.test("retail: an exchange is stored with sorted items and a rounded difference", () => {
  const database = smallDatabase();
  const args =
    '{"order_id": "#B", "item_ids": ["101", "101"], "new_item_ids": {"102": 0, "101": 1}, "payment_method_id": "paypal_1"}';
  const order = call(database, "exchange_delivered_order_items", args);
  assert.match(order, /"status": "exchange requested"/);
  assert.match(
    order,
    /"exchange_items": \["101", "101"\], "exchange_new_items": \["101", "102"\], "exchange_payment_method_id": "paypal_1", "exchange_price_difference": 20.1\}$/,
  );
});
