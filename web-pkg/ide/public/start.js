// Runs before everything else: it sets the theme before the first paint, so that a dark page never flashes light, and
// it says so when a part of the page cannot be fetched, which the page's own script cannot do if it is the missing part.
(function () {
  var chosen = null;
  try {
    chosen = localStorage.getItem("causeway/theme");
  } catch (refused) {
    // A browser without storage follows the system.
  }
  var dark = chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  document.documentElement.dataset.theme = dark ? "dark" : "light";

  addEventListener(
    "error",
    function (event) {
      if (event.target instanceof HTMLScriptElement) tell();
    },
    true,
  );

  function tell() {
    var place = document.getElementById("app");
    if (!place) return;
    var words = document.createElement("p");
    words.textContent =
      "A part of this page could not be fetched, so it cannot start. What you wrote before is kept on this device.";
    var again = document.createElement("button");
    again.className = "button main";
    again.textContent = "Try again";
    again.onclick = function () {
      location.reload();
    };
    var page = document.createElement("div");
    page.className = "trouble";
    page.setAttribute("role", "alert");
    page.append(words, again);
    place.replaceChildren(page);
  }
})();
