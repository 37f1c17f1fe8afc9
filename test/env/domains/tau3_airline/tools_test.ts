import assert from "node:assert/strict";
import { Float } from "../../../../env/python/python_value.ts";
import { smallAirline } from "../../../support/tau3_rows.ts";

const BOOKING = {
  user_id: "ann",
  origin: "SFO",
  destination: "JFK",
  flight_type: "one_way",
  cabin: "business",
  flights: [{ flight_number: "HAT001", date: "2024-05-20" }],
  passengers: [{ first_name: "Ann", last_name: "Lee", dob: "1990-01-01" }],
  payment_methods: [{ payment_id: "credit_card", amount: 200 }],
  total_baggages: 0,
  nonfree_baggages: 0,
  insurance: "no",
};

Deno.test("book_reservation charges payments, takes seats and coerces stored values", () => {
  const world = smallAirline();
  const answer = world.call("book_reservation", {
    ...BOOKING,
    total_baggages: "1",
    payment_methods: [
      { payment_id: "gift_card", amount: "150" },
      { payment_id: "certificate", amount: 50 },
    ],
  });
  assert.match(
    answer,
    /^\{"reservation_id": "HATHAT", .*"total_baggages": 1, /,
  );
  assert.match(answer, /"status": null\}$/);
  const seats = ["dates", "2024-05-20", "available_seats", "business"];
  assert.equal(world.at("flights", "HAT001", ...seats), 2);
  const methods = ["payment_methods"];
  assert.deepEqual(
    world.at("users", "ann", ...methods, "gift_card", "amount"),
    new Float(350),
  );
  assert.equal(world.at("users", "ann", ...methods, "certificate"), undefined);
  assert.deepEqual(world.at("users", "ann", "reservations"), ["HATHAT"]);
});

Deno.test("book_reservation keeps earlier charges when a certificate pays twice", () => {
  const world = smallAirline();
  const pay = (payment_id: string, amount: number) => ({ payment_id, amount });
  assert.equal(
    world.call("book_reservation", {
      ...BOOKING,
      payment_methods: [
        pay("gift_card", 20),
        pay("certificate", 90),
        pay("certificate", 90),
      ],
    }),
    "Error: 'certificate'",
  );
  assert.deepEqual(
    world.at("users", "ann", "payment_methods", "gift_card", "amount"),
    new Float(480),
  );
  assert.equal(world.at("reservations", "HATHAT"), undefined);
});

Deno.test("book_reservation reports invalid arguments, conversion errors first", () => {
  const world = smallAirline();
  const book = (fields: object) =>
    world.call("book_reservation", { ...BOOKING, ...fields });
  assert.match(
    book({ user_id: "bob", passengers: [{}] }),
    /^Error: 3 validation errors for Passenger\n/,
  );
  assert.equal(book({ user_id: "bob" }), "Error: User bob not found");
  assert.equal(
    book({ flights: [{ flight_number: "HAT001", date: "2024-05-21" }] }),
    "Error: Flight HAT001 not available on date 2024-05-21",
  );
  assert.equal(
    book({ flights: ["HAT001"] }),
    "Error: 'str' object has no attribute 'flight_number'",
  );
  assert.equal(
    book({ nonfree_baggages: "2" }),
    "Error: unsupported operand type(s) for +=: 'int' and 'str'",
  );
  assert.equal(
    book({ insurance: "yes" }),
    "Error: Payment amount does not add up, total price is 230, but paid 200",
  );
});

Deno.test("update_reservation_baggages charges a gift card before it rejects a fractional price", () => {
  const world = smallAirline();
  world.call("book_reservation", BOOKING);
  const update = (fields: object) =>
    world.call("update_reservation_baggages", {
      reservation_id: "HATHAT",
      total_baggages: 1,
      nonfree_baggages: 1,
      payment_id: "gift_card",
      ...fields,
    });
  assert.match(update({ nonfree_baggages: 0.25 }), /int_from_float/);
  const balance = ["payment_methods", "gift_card", "amount"];
  assert.equal(world.at("users", "ann", ...balance), 487.5);
  assert.equal(world.at("reservations", "HATHAT", "nonfree_baggages"), 0);
  assert.match(
    update({ total_baggages: ["many"] }),
    /"total_baggages": \["many"\]/,
  );
});

Deno.test("update_reservation_passengers stores a list with non-objects unchanged", () => {
  const world = smallAirline();
  world.call("book_reservation", BOOKING);
  const update = (passengers: unknown) =>
    world.call("update_reservation_passengers", {
      reservation_id: "HATHAT",
      passengers,
    });
  assert.match(update([7]), /"passengers": \[7\]/);
  assert.match(update("x"), /"passengers": "x"/);
  assert.equal(update([]), "Error: Number of passengers does not match");
});

Deno.test("cancel_reservation fails on a lone surrogate with Python's message", () => {
  const world = smallAirline();
  world.call("book_reservation", { ...BOOKING, origin: "😀\ud800\ud801x" });
  assert.equal(
    world.call("cancel_reservation", { reservation_id: "HATHAT" }),
    "Error: Error serializing to JSON: UnicodeEncodeError: 'utf-8' codec can't encode characters in position 1-2: surrogates not allowed",
  );
  assert.equal(world.at("reservations", "HATHAT", "status"), null);
});

Deno.test("searches accept null as any airport", () => {
  const world = smallAirline();
  const search = (fields: object) =>
    world.call("search_direct_flight", {
      origin: "SFO",
      destination: "JFK",
      date: "2024-05-20",
      ...fields,
    });
  const found = search({});
  assert.match(found, /^\[\{"flight_number": "HAT001", .*"date": null, /);
  assert.equal(search({ origin: null, destination: null }), found);
  assert.equal(search({ date: "2024-05-21" }), "[]");
  assert.equal(search({ origin: "LAX", date: [] }), "[]");
  assert.equal(search({ date: [] }), "Error: unhashable type: 'list'");
});
