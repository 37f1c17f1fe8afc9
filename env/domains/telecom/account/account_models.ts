/** The models of the rows in the agent's database. They reject unknown keys. */

import { defineModel, type Field, field } from "../../../python/pydantic.ts";

const FORBID = { extra: "forbid" } as const;
const maybe = (type: Field): Field => field.optional(type);
const list = (type: Field) => field.list(type, { default: [] });
const flag = () => field.bool({ default: false });

const Address = defineModel("Address", {
  street: field.str(),
  city: field.str(),
  state: field.str(),
  zip_code: field.str(),
}, FORBID);

const Plan = defineModel("Plan", {
  plan_id: field.str(),
  name: field.str(),
  data_limit_gb: field.float(),
  price_per_month: field.float(),
  data_refueling_price_per_gb: field.float(),
}, FORBID);

const Device = defineModel("Device", {
  device_id: field.str(),
  device_type: field.enum(["phone", "router", "tablet", "watch", "other"]),
  model: field.str(),
  imei: maybe(field.str()),
  is_esim_capable: field.bool(),
  activated: flag(),
  activation_date: maybe(field.datetime()),
  last_esim_transfer_date: maybe(field.datetime()),
}, FORBID);

const Line = defineModel("Line", {
  line_id: field.str(),
  phone_number: field.str(),
  status: field.enum(["Active", "Suspended", "Pending Activation", "Closed"], {
    default: "Pending Activation",
  }),
  plan_id: field.str(),
  device_id: maybe(field.str()),
  data_used_gb: field.float({ default: 0 }),
  data_refueling_gb: field.float({ default: 0 }),
  roaming_enabled: flag(),
  contract_end_date: maybe(field.date()),
  last_plan_change_date: maybe(field.date()),
  last_sim_replacement_date: maybe(field.date()),
  suspension_start_date: maybe(field.date()),
}, FORBID);

/** The model of a charge or credit on a bill. */
export const LineItem = defineModel("LineItem", {
  description: field.str(),
  amount: field.float(),
  date: field.date(),
  item_type: field.str(),
}, FORBID);

/** The model of a customer's bill. */
export const Bill = defineModel("Bill", {
  bill_id: field.str(),
  customer_id: field.str(),
  period_start: field.date(),
  period_end: field.date(),
  issue_date: field.date(),
  total_due: field.float(),
  due_date: field.date(),
  line_items: list(field.model(LineItem)),
  status: field.enum(
    ["Draft", "Issued", "Awaiting Payment", "Paid", "Overdue", "Disputed"],
    { default: "Draft" },
  ),
}, FORBID);

const PaymentMethod = defineModel("PaymentMethod", {
  method_type: field.enum(["Credit Card", "Debit Card", "PayPal"]),
  account_number_last_4: field.str(),
  expiration_date: field.str(),
}, FORBID);

const Customer = defineModel("Customer", {
  customer_id: field.str(),
  full_name: field.str(),
  date_of_birth: field.str(),
  email: field.str(),
  phone_number: field.str(),
  address: field.model(Address),
  account_status: field.enum(
    ["Active", "Suspended", "Pending Verification", "Closed"],
    { default: "Pending Verification" },
  ),
  payment_methods: list(field.model(PaymentMethod)),
  line_ids: list(field.str()),
  bill_ids: list(field.str()),
  // As in the original, the default is a date without a time.
  created_at: { ...field.datetime(), default: "2025-01-01" },
  last_extension_date: maybe(field.date()),
  goodwill_credit_used_this_year: field.float({ default: 0 }),
}, FORBID);

/** The model of the agent's complete database. */
export const TelecomDb = defineModel("TelecomDB", {
  plans: list(field.model(Plan)),
  customers: list(field.model(Customer)),
  lines: list(field.model(Line)),
  bills: list(field.model(Bill)),
  devices: list(field.model(Device)),
}, FORBID);
