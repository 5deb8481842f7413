"""Every decoder fed with rubbish that looks right at first sight."""
