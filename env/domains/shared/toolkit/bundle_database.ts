/** Loads τ³-bench's databases from their data files and validates each row with its model. */

import { z } from "zod";
import { createDatabase, type Database } from "../../../database.ts";
import { DataError, messageOf } from "../../../errors.ts";
import {
  defineModel,
  field,
  type Model,
  validate,
} from "../../../python/pydantic.ts";
import {
  fromPlain,
  type JsonObject,
  type JsonValue,
} from "../../../python/python_value.ts";

/** The row models, keyed by table, in the order in which the original's database class declares the tables. */
export type RowModels = Readonly<Record<string, Model>>;

/**
 * Loads a database from the contents of its file: an object of tables, each of which is an object of rows keyed by id.
 * @param className The name of the original's database class, which appears in error messages: `RetailDB`.
 * @throws {DataError} If the data does not have the declared shape.
 */
export function loadTables(
  className: string,
  models: RowModels,
  data: JsonValue,
): Database {
  const tables = Object.entries(models).map(([table, model]) =>
    [table, field.map(field.model(model))] as const
  );
  const model = defineModel(className, Object.fromEntries(tables), {
    extra: "forbid",
  });
  return createDatabase(
    new Map(
      Array.from(
        validData(model, data),
        ([table, rows]) => [table, rows as Map<string, JsonObject>],
      ),
    ),
  );
}

/**
 * Returns an object from a data file, validated with its model.
 * @throws {DataError} If the object does not have the declared shape.
 */
export function validData(model: Model, data: JsonValue): JsonObject {
  try {
    return validate(model, data);
  } catch (error) {
    throw new DataError(
      `Cannot read the database: ${messageOf(error)}`,
      { cause: error },
    );
  }
}

/** Converts row models to zod schemas, which validate rows as plain data. */
export function rowSchemasOf(
  models: RowModels,
): ReadonlyMap<string, z.ZodType> {
  return new Map(
    Object.entries(models).map(([table, model]) => [table, schemaOf(model)]),
  );
}

function schemaOf(model: Model): z.ZodType {
  return z.unknown().superRefine((row, context) => {
    try {
      validate(model, fromPlain(row));
    } catch (error) {
      context.addIssue({ code: "custom", message: messageOf(error) });
    }
  });
}
