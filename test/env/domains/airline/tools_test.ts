import assert from "node:assert/strict";
import { airline } from "../../../../env/domains/airline/domain.ts";
import { callTool } from "../../../../env/call_tool.ts";
import { createDatabase, type Database } from "../../../../env/database.ts";
import {
  type JsonObject,
  parsePythonJson,
} from "../../../../env/python/python_json.ts";
import { action } from "../../../support/retail_world.ts";

/**
 * Creates an airline with one user and two flights that connect in B. The first flight arrives at `arrival`, which may
 * be on the next day.
 */
function smallAirline(arrival = "07:00:00"): Database {
  const day = (price: number) =>
    `{"status": "available", "available_seats": {"economy": 2}, "prices": {"economy": ${price}}}`;
  const flight = (number: string, from: string, to: string, times: string) =>
    `"${number}": {"flight_number": "${number}", "origin": "${from}", "destination": "${to}", ${times},
      "dates": {"2024-05-08": ${day(100)}, "2024-05-20": ${
      day(100)
    }, "2024-05-21": ${day(50)}, "2024-05-22": {"status": "landed"}}}`;
  const times = (from: string, to: string) =>
    `"scheduled_departure_time_est": "${from}", "scheduled_arrival_time_est": "${to}"`;
  return createDatabase(
    new Map([
      [
        "flights",
        table(
          `{${flight("F1", "A", "B", times("06:00:00", arrival))}, ${
            flight("F2", "B", "C", times("08:00:00", "09:00:00"))
          }}`,
        ),
      ],
      ["reservations", table("{}")],
      [
        "users",
        table(`{"u": {"name": {}, "payment_methods": {
          "gift_card_1": {"source": "gift_card", "amount": 120, "id": "gift_card_1"},
          "certificate_1": {"source": "certificate", "amount": 500, "id": "certificate_1"},
          "credit_card_1": {"source": "credit_card", "id": "credit_card_1"}}, "reservations": []}}`),
      ],
    ]),
  );
}

function table(text: string): Map<string, JsonObject> {
  return parsePythonJson(text) as Map<string, JsonObject>;
}

function call(database: Database, name: string, args = "{}"): string {
  return callTool(airline, database, action(name, args));
}

function booking(payments: string, changes = ""): string {
  const members = {
    user_id: '"u"',
    origin: '"A"',
    destination: '"B"',
    flight_type: '"one_way"',
    cabin: '"economy"',
    flights: '[{"flight_number": "F1", "date": "2024-05-20"}]',
    passengers: '[{"first_name": "N"}]',
    payment_methods: payments,
    total_baggages: "0",
    nonfree_baggages: "0",
    insurance: '"no"',
    ...JSON.parse(changes || "{}") as Record<string, string>,
  };
  return `{${
    Object.entries(members).map(([key, value]) => `"${key}": ${value}`).join()
  }}`;
}

const PAID = '[{"payment_id": "gift_card_1", "amount": 100}]';

Deno.test("airline: a booking charges the payment and is stored under its id", () => {
  const database = smallAirline();
  const text = call(database, "book_reservation", booking(PAID));
  assert.match(text, /^\{"reservation_id": "HATHAT", .*"price": 100/);
  const details = '{"reservation_id": "HATHAT"}';
  assert.equal(call(database, "get_reservation_details", details), text);
  const user = call(database, "get_user_details", '{"user_id": "u"}');
  assert.match(user, /"gift_card_1", |"amount": 20,/);
  assert.match(user, /"reservations": \["HATHAT"\]/);
});

Deno.test("airline: a booking never writes into the call's own lists", () => {
  const database = smallAirline();
  const made = action("book_reservation", booking(PAID));
  const before = JSON.stringify([...made.arguments]);
  callTool(airline, database, made);
  call(
    database,
    "update_reservation_baggages",
    '{"reservation_id": "HATHAT", "total_baggages": 1, "nonfree_baggages": 1, "payment_id": "credit_card_1"}',
  );
  call(database, "cancel_reservation", '{"reservation_id": "HATHAT"}');
  assert.equal(JSON.stringify([...made.arguments]), before);
});

Deno.test("airline: invalid bookings are rejected with τ-bench's messages, and change nothing", () => {
  const refusals: [payments: string, changes: string, observation: string][] = [
    [PAID, '{"user_id": "1"}', "Error: user not found"],
    [
      "[]",
      "",
      "Error: payment amount does not add up, total price is 100, but paid 0",
    ],
    [
      '[{"payment_id": "gift_card_1", "amount": 121}]',
      "",
      "Error: not enough balance in payment method gift_card_1",
    ],
    [
      '[{"payment_id": null, "amount": 1}]',
      "",
      "Error: payment method None not found",
    ],
    ["[{}]", "", "Error: 'payment_id'"],
    [PAID, '{"cabin": "null"}', "Error: None"],
    [
      PAID,
      '{"flights": "[{\\"flight_number\\": \\"F1\\", \\"date\\": \\"2024-05-22\\"}]"}',
      "Error: flight F1 not available on date 2024-05-22",
    ],
    [
      PAID,
      '{"flights": "[{\\"flight_number\\": \\"F1\\", \\"date\\": 1.0}]"}',
      "Error: flight F1 not found on date 1.0",
    ],
    [
      PAID,
      '{"passengers": "[1, 2, 3]"}',
      "Error: not enough seats on flight F1",
    ],
  ];
  for (const [payments, changes, observation] of refusals) {
    const database = smallAirline();
    const untouched = database.hash();
    assert.equal(
      call(database, "book_reservation", booking(payments, changes)),
      observation,
    );
    assert.equal(database.hash(), untouched);
  }
});

Deno.test("airline: a certificate that pays twice is used up, and earlier payments stay charged", () => {
  const database = smallAirline();
  const payments =
    '[{"payment_id": "gift_card_1", "amount": 10}, {"payment_id": "certificate_1", "amount": 45}, {"payment_id": "certificate_1", "amount": 45}]';
  assert.equal(
    call(database, "book_reservation", booking(payments)),
    "Error: 'certificate_1'",
  );
  const user = call(database, "get_user_details", '{"user_id": "u"}');
  assert.match(user, /"amount": 110/);
  assert.doesNotMatch(user, /certificate_1/);
});

Deno.test("airline: bookings after the third overwrite the last id", () => {
  const database = smallAirline();
  const pay = '[{"payment_id": "credit_card_1", "amount": 100}]';
  const ids = Array.from({ length: 4 }, () => {
    const text = call(database, "book_reservation", booking(pay));
    return text.slice(20, 26);
  });
  assert.deepEqual(ids, ["HATHAT", "HATHAU", "HATHAV", "HATHAV"]);
});

Deno.test("airline: three certificates can be issued; the fourth is an error", () => {
  const database = smallAirline();
  const send = () =>
    call(database, "send_certificate", '{"user_id": "u", "amount": 5.0}');
  assert.equal(
    send(),
    "Certificate certificate_3221322 added to user u with amount 5.0.",
  );
  send();
  send();
  assert.match(send(), /^Error: no more certificates/);
});

Deno.test("airline: a certificate with a non-numeric amount is compared as in Python, with its messages", () => {
  const answers: [amount: string, paid: string, answer: string][] = [
    [
      '"100"',
      "100",
      "Error: '<' not supported between instances of 'str' and 'int'",
    ],
    [
      "null",
      "1.5",
      "Error: '<' not supported between instances of 'NoneType' and 'float'",
    ],
    [
      '"a"',
      '"b"',
      "Error: not enough balance in payment method certificate_3221322",
    ],
    ['"b"', '"a"', "Error: unsupported operand type(s) for +: 'int' and 'str'"],
    [
      "[1]",
      "[2]",
      "Error: not enough balance in payment method certificate_3221322",
    ],
    [
      "[2]",
      "{}",
      "Error: '<' not supported between instances of 'list' and 'dict'",
    ],
    [
      "true",
      "1",
      "Error: payment amount does not add up, total price is 100, but paid 1",
    ],
  ];
  for (const [amount, paid, answer] of answers) {
    const database = smallAirline();
    call(database, "send_certificate", `{"user_id": "u", "amount": ${amount}}`);
    const before = database.fork();
    const payments =
      `[{"payment_id": "certificate_3221322", "amount": ${paid}}]`;
    assert.equal(call(database, "book_reservation", booking(payments)), answer);
    assert.deepEqual(database.diff(before), []);
  }
});

Deno.test("airline: payments are checked in order, and the first failure is reported", () => {
  const payments = (second: string) =>
    `[{"payment_id": "gift_card_1", "amount": 500}, ${second}]`;
  for (const second of ["{}", "7", '{"payment_id": []}']) {
    assert.equal(
      call(smallAirline(), "book_reservation", booking(payments(second))),
      "Error: not enough balance in payment method gift_card_1",
    );
  }
});

Deno.test("airline: bags of a wrong type are rejected with Python's messages", () => {
  const answers = {
    '"ab"': "unsupported operand type(s) for +=: 'int' and 'str'",
    "[1]": "unsupported operand type(s) for +=: 'int' and 'list'",
    "{}": "unsupported operand type(s) for *: 'int' and 'dict'",
    null: "unsupported operand type(s) for *: 'int' and 'NoneType'",
  };
  for (const [bags, answer] of Object.entries(answers)) {
    const changes = JSON.stringify({ nonfree_baggages: bags });
    assert.equal(
      call(smallAirline(), "book_reservation", booking(PAID, changes)),
      `Error: ${answer}`,
    );
  }
});

Deno.test("airline: a reservation can be cancelled repeatedly until its history is too long", () => {
  const database = smallAirline();
  call(database, "book_reservation", booking(PAID));
  const cancel = () =>
    call(database, "cancel_reservation", '{"reservation_id": "HATHAT"}');
  const answers = Array.from({ length: 25 }, cancel);
  const refused = answers.findIndex((answer) => answer.startsWith("Error: "));
  assert.ok(refused > 13, `${refused}`);
  assert.match(answers[refused] ?? "", /the payment history is too long/);
  assert.equal(answers.at(-1), answers[refused]);
});

Deno.test("airline: the next day is parsed like Python's int(), and only if a connection needs it", () => {
  const search = (date: string, arrival = "01:00:00+1") =>
    call(
      smallAirline(arrival),
      "search_onestop_flight",
      `{"origin": "A", "destination": "C", "date": ${date}}`,
    );
  assert.match(search('"2024-05-20"'), /"date": "2024-05-21"/);
  for (const date of ["2024-05-٢٠", "2024-05-２０", "x\x857", "+5", "𝟙𝟚"]) {
    assert.equal(search(JSON.stringify(date)), "[]", date);
  }
  const refused: [date: string, message: RegExp][] = [
    [
      '"\\ufeff5"',
      /^Error: invalid literal for int\(\) with base 10: '\\ufeff5'$/,
    ],
    ['"1_"', /^Error: invalid literal for int\(\) with base 10: '1_'$/],
    [
      '["2024-05-20"]',
      /^Error: int\(\) argument must be a string, .* not 'list'$/,
    ],
    ["{}", /^Error: unhashable type: 'slice'$/],
    ["null", /^Error: 'NoneType' object is not subscriptable$/],
  ];
  for (const [date, message] of refused) assert.match(search(date), message);
  // The second flight departs before the first arrives, so the invalid date is never read.
  for (const date of ["[]", "{}", "7"]) {
    assert.equal(search(date, "08:30:00"), "[]");
  }
  assert.equal(search("[]", "07:00:00"), "Error: unhashable type: 'list'");
});

Deno.test("airline: a connection over midnight has the second leg's prices from the first day", () => {
  const search = (date: string, arrival: string) =>
    call(
      smallAirline(arrival),
      "search_onestop_flight",
      `{"origin": "A", "destination": "C", "date": ${date}}`,
    );
  const sameDay = search('"2024-05-20"', "07:00:00");
  assert.match(sameDay, /"date": "2024-05-20"\}, .*"date": "2024-05-20"/);
  const nextDay = search('"2024-05-20"', "01:00:00+1");
  assert.match(nextDay, /"economy": 100\}, "date": "2024-05-21"/);
  assert.equal(search('"2024-05-08"', "01:00:00+1"), "[]");
  assert.equal(search('"2024-05-20"', "08:30:00"), "[]");
  assert.match(search('"x"', "01:00:00+1"), /^Error: invalid literal/);
  assert.match(search("5", "01:00:00+1"), /^Error: 'int'/);
  assert.equal(search("5", "07:00:00"), "[]");
});

Deno.test("airline: update_reservation_flights charges the difference, and keeps old prices in the same cabin", () => {
  const database = smallAirline();
  call(database, "book_reservation", booking(PAID));
  const update = (flights: string, payment = "gift_card_1") =>
    call(
      database,
      "update_reservation_flights",
      `{"reservation_id": "HATHAT", "cabin": "economy", "flights": ${flights}, "payment_id": "${payment}"}`,
    );
  const kept = '{"flight_number": "F1", "date": "2024-05-20"}';
  assert.equal(
    update(`[${kept}, ${kept}]`),
    "Error: gift card balance is not enough",
  );
  assert.equal(
    update(`[${kept}]`, "certificate_1"),
    "Error: certificate cannot be used to update reservation",
  );
  assert.equal(update("[]", "nothing"), "Error: payment method not found");
  const text = update('[{"flight_number": "F1", "date": "2024-05-21"}]');
  assert.match(text, /\{"payment_id": "gift_card_1", "amount": -50\}\]/);
  assert.match(
    call(database, "get_user_details", '{"user_id": "u"}'),
    /"amount": 70,/,
  );
});

Deno.test("airline: only the number of passengers is checked", () => {
  const database = smallAirline();
  call(database, "book_reservation", booking(PAID));
  const update = (passengers: string) =>
    call(
      database,
      "update_reservation_passengers",
      `{"reservation_id": "HATHAT", "passengers": ${passengers}}`,
    );
  assert.equal(update("[]"), "Error: number of passengers does not match");
  assert.match(update('["anyone"]'), /"passengers": \["anyone"\]/);
});

Deno.test("airline: fares are not kept in a NaN cabin", () => {
  const database = smallAirline();
  const changes = JSON.stringify({ cabin: "NaN", flights: "[]" });
  const free = '[{"payment_id": "credit_card_1", "amount": 0}]';
  const booked = call(database, "book_reservation", booking(free, changes));
  assert.match(booked, /"cabin": NaN/);
  const flights = '[{"flight_number": "F1", "date": "2024-05-20"}]';
  const update = (cabin: string) =>
    call(
      database,
      "update_reservation_flights",
      `{"reservation_id": "HATHAT", "cabin": ${cabin}, "flights": ${flights}, "payment_id": "credit_card_1"}`,
    );
  assert.match(update('"economy"'), /"flights": \[\{"flight_number": "F1"/);
  assert.equal(update("NaN"), "Error: nan");
});
