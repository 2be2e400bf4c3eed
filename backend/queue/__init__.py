"""RQ on Redis: unique jobs, and workers that outlive kills and clocks."""
