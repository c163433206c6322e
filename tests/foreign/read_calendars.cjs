// Reads calendar files with ical.js, as a phone would. In: a JSON list of files.
// Out: a list for each file, with [uid, [[start, end] of each occurrence, in seconds since 1970]].
const ICAL = require("./node_modules/ical.js/dist/ical.es5.cjs");

const MOST = Number(process.argv[2]);

function occurrences(event) {
  const days = [];
  const iterator = event.iterator();
  for (let next = iterator.next(); next && days.length < MOST; next = iterator.next()) {
    const { startDate, endDate } = event.getOccurrenceDetails(next);
    days.push([startDate.toUnixTime(), endDate.toUnixTime()]);
  }
  return days;
}

function readFile(text) {
  const calendar = new ICAL.Component(ICAL.parse(text));
  ICAL.TimezoneService.reset();
  for (const zone of calendar.getAllSubcomponents("vtimezone")) {
    ICAL.TimezoneService.register(zone);
  }
  const components = calendar.getAllSubcomponents("vevent");
  const isException = (component) => component.hasProperty("recurrence-id");
  return components.filter((component) => !isException(component)).map((component) => {
    const uid = component.getFirstPropertyValue("uid");
    const exceptions = components.filter(
      (other) => isException(other) && other.getFirstPropertyValue("uid") === uid,
    );
    return [uid, occurrences(new ICAL.Event(component, { exceptions }))];
  });
}

const files = JSON.parse(require("fs").readFileSync(0, "utf8"));
process.stdout.write(JSON.stringify(files.map(readFile)));
