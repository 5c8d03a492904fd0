import { Binary, Decimal128, Double, Int32, Long, ObjectId, UUID } from "bson";
import { Decimal } from "decimal.js";
import mongoose from "mongoose";
import { DataTypes, type Dialect, Model, Sequelize } from "sequelize";
import { describe, expect, it } from "vitest";
import { snapshot } from "../../src/snapshot";
import { notPlain } from "./plainness";

/** The copy, shown to be plain. */
function copied(value: unknown): unknown {
  const copy = snapshot(value);
  expect(notPlain(copy)).toBeUndefined();
  return copy;
}

describe("mongoose", () => {
  const personSchema = new mongoose.Schema(
    {
      name: String,
      address: { type: String, get: (value: string) => value.toLowerCase() },
      contact: { email: String },
    },
    { _id: false },
  );
  personSchema.virtual("label").get(function label(this: { name: string }) {
    return `${this.name}!`;
  });
  const fileSchema = new mongoose.Schema({ filename: String, content: Buffer }, { _id: false });
  const orderSchema = new mongoose.Schema(
    {
      email: String,
      emails: [String],
      people: [personSchema],
      files: [fileSchema],
      nested: { billing: { email: String } },
      tags: { type: Map, of: String },
      total: mongoose.Schema.Types.Decimal128,
      at: Date,
      hidden: String,
    },
    { toJSON: { transform: (_, json) => ({ ...json, people: undefined }) } },
  );
  const Order = mongoose.model("SnapshotOrder", orderSchema);
  const make = () =>
    new Order({
      email: "ann@acme.test",
      emails: ["bo@acme.test", "cy@acme.test"],
      people: [{ name: "Dee", address: "DEE@ACME.TEST", contact: { email: "dee@acme.test" } }],
      files: [{ filename: "a.txt", content: Buffer.from("hello") }],
      nested: { billing: { email: "eve@acme.test" } },
      tags: { k: "v" },
      total: "1.50",
      at: new Date(0),
    });
  const person = { name: "Dee", address: "dee@acme.test", contact: { email: "dee@acme.test" }, label: "Dee!" };

  it("gives arrays, subdocuments and nested paths as reading them would", () => {
    const order = make();
    const mail = {
      from: order.email,
      to: order.emails,
      cc: order.people,
      bcc: [order.people[0], order.nested?.billing],
      attachments: order.files,
      date: order.at,
      tags: order.tags,
      total: order.total,
    };
    const { name, address, contact, label } = person;
    const read = { name, address, contact, label };
    expect(copied(mail)).toMatchObject({
      from: "ann@acme.test",
      to: ["bo@acme.test", "cy@acme.test"],
      cc: [read],
      bcc: [read, { email: "eve@acme.test" }],
      attachments: [{ filename: "a.txt", content: Buffer.from("hello") }],
      date: new Date(0),
      tags: { k: "v" },
      total: "1.50",
    });
  });

  it("gives whole documents, whatever their toJSON hides", () => {
    const order = make();
    expect(copied(order)).toMatchObject({
      _id: order._id.toHexString(),
      email: "ann@acme.test",
      emails: ["bo@acme.test", "cy@acme.test"],
      people: [person],
      files: [{ filename: "a.txt", content: Buffer.from("hello") }],
      nested: { billing: { email: "eve@acme.test" } },
      tags: { k: "v" },
      total: "1.50",
      at: new Date(0),
    });
  });

  it("gives what a document spread into a mail holds besides its internals", () => {
    const to = "ann@acme.test";
    const spread = { ...make(), to, subject: "s" };
    expect(snapshot(spread, { only: new Set(["to", "subject"]) })).toStrictEqual({ to, subject: "s" });
  });

  it("gives lean and hydrated results alike", () => {
    const order = make();
    const lean = order.toObject();
    expect(copied({ to: lean.emails, cc: lean.people?.[0]?.name })).toStrictEqual({
      to: ["bo@acme.test", "cy@acme.test"],
      cc: "Dee",
    });
    const hydrated = Order.hydrate({
      _id: new mongoose.Types.ObjectId(),
      email: "ann@acme.test",
      emails: ["bo@acme.test"],
    });
    expect(copied({ from: hydrated.email, to: hydrated.emails })).toStrictEqual({
      from: "ann@acme.test",
      to: ["bo@acme.test"],
    });
  });

  it("refuses a query that was not awaited", () => {
    expect(() => snapshot({ to: Order.find().distinct("email") })).toThrow(/^COPY_UNSUPPORTED at to: .* Await it/);
  });
});

describe("sequelize", () => {
  // A dialect that never connects: models are built, not stored.
  const sequelize = new Sequelize({ dialect: "sqlite" as Dialect, dialectModule: { Database: class {} } });
  class User extends Model {
    declare name: string;
    declare email: string;
    get label(): string {
      return `${this.name} <${this.email}>`;
    }
  }
  User.init(
    {
      name: DataTypes.STRING,
      email: {
        type: DataTypes.STRING,
        get(): string {
          return this.getDataValue("email").toLowerCase();
        },
      },
      roles: DataTypes.JSON,
      address: {
        type: DataTypes.VIRTUAL,
        get(): string {
          return this.getDataValue("email");
        },
      },
    },
    { sequelize, modelName: "user" },
  );

  it("gives instances as their values, through their getters", () => {
    const user = User.build({ name: "Ann", email: "ANN@acme.test", roles: ["admin", { a: 1 }] });
    expect(copied({ to: user.label, cc: [user], roles: user.get("roles") })).toMatchObject({
      to: "Ann <ann@acme.test>",
      cc: [{ name: "Ann", email: "ann@acme.test", roles: ["admin", { a: 1 }], address: "ANN@acme.test" }],
      roles: ["admin", { a: 1 }],
    });
  });

  it("gives raw results", () => {
    const rows = User.build({ name: "Ann", email: "ann@acme.test" }, { raw: true }).get({ plain: true });
    expect(copied(rows)).toMatchObject({ email: "ann@acme.test" });
  });
});

describe("values of databases", () => {
  it("have their usual form", () => {
    const id = new ObjectId("64b7f0c2a1b2c3d4e5f60718");
    const uuid = new UUID("123e4567-e89b-42d3-a456-426614174000");
    const row = {
      id,
      uuid,
      price: Decimal128.fromString("12.30"),
      long: Long.fromString("9007199254740993"),
      int: new Int32(4),
      double: new Double(1.5),
      binary: new Binary(Buffer.from("hello")),
      decimal: new Decimal("0.1").plus("0.2"),
    };
    expect(copied(row)).toStrictEqual({
      id: "64b7f0c2a1b2c3d4e5f60718",
      uuid: "123e4567-e89b-42d3-a456-426614174000",
      price: "12.30",
      long: "9007199254740993",
      int: 4,
      double: 1.5,
      binary: Buffer.from("hello"),
      decimal: "0.3",
    });
  });

  it("come in rows that are instances of a driver's class", () => {
    class RowDataPacket {
      [column: string]: unknown;
    }
    const row = Object.assign(new RowDataPacket(), { email: "ann@acme.test", at: new Date(0) });
    expect(copied({ to: [row] })).toStrictEqual({ to: [{ email: "ann@acme.test", at: new Date(0) }] });
  });

  it("come as records that refer back to each other only where a mail needs it", () => {
    class Person {
      orders: Order[] = [];
      readonly address = "ann@acme.test";
    }
    class Order {
      constructor(readonly person: Person) {}
    }
    const person = new Person();
    person.orders.push(new Order(person));
    expect(() => snapshot({ to: person })).toThrow(/^COPY_CYCLE at to\.orders\[0\]\.person/);
    expect(copied({ to: person.orders[0]?.person.address })).toStrictEqual({ to: "ann@acme.test" });
  });
});
