import { afterEach, describe, expect, it } from "vitest";
import { MailfuseError } from "../../src/errors";
import { assertCleanPrototypes } from "../../src/snapshot";

/** What the check says while `prototype` has this property; the property is gone before anything else runs. */
function verdict(prototype: object, name: string, property: PropertyDescriptor): string {
  Object.defineProperty(prototype, name, { ...property, configurable: true });
  try {
    assertCleanPrototypes();
    return "clean";
  } catch (error) {
    if (!MailfuseError.isInstance(error)) throw error;
    return `${error.code} ${error.refusals[0]?.where}`;
  } finally {
    Reflect.deleteProperty(prototype, name);
  }
}

const data = (value: unknown): PropertyDescriptor => ({ value, enumerable: true, writable: true });
const hidden = (value: unknown): PropertyDescriptor => ({ value, enumerable: false });

afterEach(() => {
  assertCleanPrototypes();
});

describe("Object.prototype", () => {
  it("may have nothing enumerable, as a merge of untrusted JSON leaves it", () => {
    expect(verdict(Object.prototype, "bcc", data("evil@evil.test"))).toBe("PROTOTYPE_POLLUTED Object.prototype.bcc");
    expect(verdict(Object.prototype, "anything", data(1))).toBe("PROTOTYPE_POLLUTED Object.prototype.anything");
    expect(
      verdict(
        Object.prototype,
        "extend",
        data(() => {}),
      ),
    ).toBe("PROTOTYPE_POLLUTED Object.prototype.extend");
    expect(verdict(Object.prototype, "0", data("evil@evil.test"))).toBe("PROTOTYPE_POLLUTED Object.prototype");
    expect(verdict(Object.prototype, "ann@acme.test", data(1))).toBe("PROTOTYPE_POLLUTED Object.prototype");
  });

  it("may have nothing that a mail client reads, hidden or not", () => {
    const names = [
      ..."to cc bcc from sender To Cc Bcc From Destination TO CC BCC Recipients recipients ToAddresses CcAddresses".split(
        " ",
      ),
      ..."BccAddresses Destinations personalizations messageVersions rcpt_to group envelope headers Headers raw Raw".split(
        " ",
      ),
      ..."ses content Content data body html text subject attachments name path href url uri method".split(" "),
      ..."address email Email toJSON get set value then pipe".split(" "),
    ];
    for (const name of names) {
      const expected = `PROTOTYPE_POLLUTED Object.prototype.${name}`;
      expect(verdict(Object.prototype, name, hidden("evil@evil.test"))).toBe(expected);
      expect(verdict(Object.prototype, name, { get: () => "evil@evil.test", enumerable: false })).toBe(expected);
    }
  });

  it("may have what a test library hides there", () => {
    expect(verdict(Object.prototype, "should", { get: () => 1, set() {}, enumerable: false })).toBe("clean");
  });
});

describe("Array.prototype and String.prototype", () => {
  it("may have methods, and nothing that stands for data", () => {
    expect(
      verdict(
        Array.prototype,
        "last",
        data(() => 1),
      ),
    ).toBe("clean");
    expect(verdict(Array.prototype, "0", data("evil@evil.test"))).toBe("PROTOTYPE_POLLUTED Array.prototype");
    expect(verdict(Array.prototype, "cc", data("evil@evil.test"))).toBe("PROTOTYPE_POLLUTED Array.prototype.cc");
    expect(
      verdict(
        Array.prototype,
        "toJSON",
        data(() => []),
      ),
    ).toBe("PROTOTYPE_POLLUTED Array.prototype.toJSON");
    expect(
      verdict(
        Array.prototype,
        "toJSON",
        hidden(() => []),
      ),
    ).toBe("PROTOTYPE_POLLUTED Array.prototype.toJSON");
    expect(verdict(Array.prototype, "address", hidden("evil@evil.test"))).toBe(
      "PROTOTYPE_POLLUTED Array.prototype.address",
    );
    expect(verdict(String.prototype, "bold", { get: () => "", enumerable: true })).toBe("clean");
    expect(verdict(String.prototype, "address", hidden("evil@evil.test"))).toBe(
      "PROTOTYPE_POLLUTED String.prototype.address",
    );
    expect(verdict(String.prototype, "email", data("evil@evil.test"))).toBe(
      "PROTOTYPE_POLLUTED String.prototype.email",
    );
  });
});

it("says nothing of the value that was put there", () => {
  Object.defineProperty(Object.prototype, "bcc", { ...data("evil@evil.test"), configurable: true });
  let message = "";
  try {
    assertCleanPrototypes();
  } catch (error) {
    message = (error as Error).message;
  } finally {
    Reflect.deleteProperty(Object.prototype, "bcc");
  }
  expect(message).toMatch(/^PROTOTYPE_POLLUTED at Object\.prototype\.bcc: Expected a clean Object\.prototype/);
  expect(message).not.toContain("evil");
});
