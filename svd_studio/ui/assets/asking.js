// What a room asks Python: one question at a time, in the order of the presses, and a look by itself in between.
// `again` tells after how many milliseconds, or null when nobody is in the room; `patience` is how long an answer may
// take before the next question; `whole` adds what every question of the room carries.
window.studio.asking = (room, { patience, again, whole = (data) => data }) => {
  const asked = [];
  let waiting = null, next = null;

  function ask(event, data) {
    if (event !== "look" || !asked.length) asked.push([event, data]);
    if (!waiting) goOn();
  }

  function goOn() {
    rest();
    if (!asked.length) {
      const pause = again();
      if (pause !== null) next = setTimeout(() => ask("look"), pause);
      return;
    }
    waiting = setTimeout(goOn, patience);  // an answer that never comes must not hold the page
    const [event, data] = asked.shift();
    window.studio.send(room, event, whole(data));
  }

  function rest() {
    clearTimeout(next);
    clearTimeout(waiting);
    waiting = null;
  }

  return {
    ask, goOn,
    act: (what, data) => ask("act", { what, ...data }),
    stopLooking: () => clearTimeout(next),
    forget: () => { asked.length = 0; rest(); },
    holds: (event) => asked.some(([name]) => name === event),
  };
};
