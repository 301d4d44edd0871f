import { expect, test } from "vitest";
import { freeColour, waitBeforeGivingWay } from "../src/people/free-colour.ts";
import { COLOURS } from "../src/shell/person.ts";

const TIDE = COLOURS[0].value;
const person = (digit: string, colour: number = TIDE) => ({ person: digit.repeat(64), colour });

test("W22 who has a colour to themselves keeps it, and who shares one is given one that is free", () => {
  expect(freeColour(person("a"), [])).toBeNull();
  expect(freeColour(person("a"), [person("b", COLOURS[1].value)])).toBeNull();
  for (const digit of "0123456789abcdef") {
    const others = [person("x"), person("y", COLOURS[3].value)];
    const free = freeColour(person(digit), others);
    expect(COLOURS.map(({ value }) => value)).toContain(free);
    expect([TIDE, COLOURS[3].value]).not.toContain(free);
    expect(freeColour(person(digit), [...others].reverse()), "the order of the others is no matter").toBe(free);
  }
  const full = COLOURS.map(({ value }, at) => person(String(at), value));
  expect(freeColour(person("a"), full), "all are taken").toBeNull();
});

test("W22 a room that is as full as there are colours comes to rest, whoever begins", () => {
  const people = COLOURS.map((_, at) => person(String.fromCharCode(97 + at)));
  for (let step = 0; ; step++) {
    expect(step).toBeLessThan(100);
    const moving = people.find((one) => freeColour(one, people.filter((other) => other !== one)) !== null);
    if (moving === undefined) break;
    moving.colour = freeColour(moving, people.filter((other) => other !== moving)) as number;
  }
  expect(new Set(people.map(({ colour }) => colour)).size).toBe(COLOURS.length);
});

test("W22 one of two waits less, and a newcomer does not wait", () => {
  const [one, other] = [person("a"), person("b")];
  expect(waitBeforeGivingWay(one, [other], true)).toBe(0);
  expect(waitBeforeGivingWay(other, [one], false)).toBeLessThan(waitBeforeGivingWay(one, [other], false));
});
