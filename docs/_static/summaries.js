// The theme's switches of the side bar have no name for screen readers.
document.addEventListener("DOMContentLoaded", () => {
  for (const each of document.querySelectorAll(".bd-sidebar-primary summary")) {
    each.setAttribute("aria-label", "Pages below");
  }
});
