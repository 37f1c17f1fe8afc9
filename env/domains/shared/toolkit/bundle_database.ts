/** Databases of τ³ made of their data files, each row an object of a model. */

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

/** The model of a row by table, in the order in which the file declares the tables. */
export type RowModels = Readonly<Record<string, Model>>;

/**
 * A database whose file is an object of tables, and each table an object of rows by id.
 * @throws {DataError} Where the data does not have the declared shape.
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

/** A file's object as its model has it. @throws {DataError} Where it does not have the declared shape. */
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

/** The same models for who checks rows as plain data. */
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
