/** The user's tools for the phone's apps and their permissions. */

import type { Database } from "../../../database.ts";
import { asKey, lower } from "../../../python/python_object.ts";
import { pythonRepr, pythonStr } from "../../../python/python_repr.ts";
import type { JsonObject, JsonValue } from "../../../python/python_value.ts";
import { permissionsOf } from "../phone/network.ts";
import { device, editDevice } from "../phone/phone_rows.ts";
import { withStatusBar } from "../phone/status_bar.ts";
import { check, phoneTool } from "./phone_tool.ts";

export const checkInstalledApps = check("check_installed_apps", (database) => {
  const apps = device(database).get("app_statuses");
  const names = apps instanceof Map ? [...apps.keys()].join(", ") : "";
  return `The following apps are installed on the phone: ${names}`;
});

export const checkAppStatus = phoneTool({
  name: "check_app_status",
  kind: "read",
  parameters: ["app_name"],
  run(database, { app_name }) {
    const granted = grantedTo(database, app_name);
    if (granted === undefined) return notFound(app_name);
    const lines = granted.length === 0
      ? [" - Permissions: None granted."]
      : [" - Permissions Granted:", ...granted.map((one) => `   - ${one}`)];
    return [`Status for App: ${pythonStr(app_name)}`, ...lines].join("\n");
  },
});

export const checkAppPermissions = phoneTool({
  name: "check_app_permissions",
  kind: "read",
  parameters: ["app_name"],
  run(database, { app_name }) {
    const granted = grantedTo(database, app_name);
    if (granted === undefined) return notFound(app_name);
    const app = `App '${pythonStr(app_name)}'`;
    return granted.length === 0
      ? `${app} currently has no permissions granted.`
      : `${app} has permission for: ${granted.join(", ")}.`;
  },
});

/**
 * Returns the permissions granted to an app, or `undefined` if the app does not exist.
 * @throws {ToolError} If the app's name is not hashable in Python.
 */
function grantedTo(
  database: Database,
  app: JsonValue,
): readonly string[] | undefined {
  const name = asKey(app);
  if (name === undefined) return undefined;
  const permissions = permissionsOf(device(database), name);
  if (permissions === undefined) return undefined;
  return [...permissions.keys()].filter((one) => permissions.get(one) === true);
}

function notFound(app: JsonValue): string {
  return `App '${pythonStr(app)}' not found on this phone.`;
}

export const grantAppPermission = phoneTool({
  name: "grant_app_permission",
  kind: "write",
  parameters: ["app_name", "permission"],
  run(database, { app_name, permission }) {
    const app = asKey(app_name);
    const name = lower(permission);
    const permissions = app === undefined
      ? undefined
      : permissionsOf(device(database), app);
    return withStatusBar(
      database,
      app === undefined || permissions === undefined
        ? `Error. App '${
          pythonStr(app_name)
        }' not found. Cannot grant permission.`
        : grant(database, { app, permissions, name }),
    );
  },
});

function grant(
  database: Database,
  { app, permissions, name }: {
    readonly app: string;
    readonly permissions: JsonObject;
    readonly name: string;
  },
): string {
  if (!permissions.has(name)) {
    return `Error. Permission '${name}' not tracked for app '${app}', available permissions: ${
      pythonRepr([...permissions.keys()])
    }`;
  }
  permissionsOf(editDevice(database), app)?.set(name, true);
  return `Success. Permission '${name}' granted to app '${app}'.`;
}
