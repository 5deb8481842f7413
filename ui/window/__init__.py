"""The main window: docks, menus, layouts, and what stands at its edges."""
