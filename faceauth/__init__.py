"""Log in to a Django site by face.

A login goes through this package as follows:

1. `views` shows the camera, and `http/` limits each request and reads it, a form or JSON.
2. `frames_view` takes what the camera sees: `devices/` says who is claimed, `lockout/` if they may
   try, and `liveness/` tells one movement at a time.
3. `capture/` analyses each frame with `vision/`, and `liveness/` judges the movement.
4. `forms` take the challenge once it is passed.
5. `backends` uses it up: the encodings of its frames are the probe.
6. `lockout/` records a failure, `gallery/` finds the nearest people, and `encryption/` decrypts
   their templates.
7. `recognition/` measures the distances and decides; a success clears the failure.
8. `views` starts the session; `logins` notes it in `step_up/` and records it in `audit/`.

Around this, `enrolment/` puts faces into accounts and removes them. `encryption/` encrypts and
decrypts the templates. When a face changes, `audit/` records it and emails the user. `privacy/`
exports and erases the data. `models` and `faces` hold the columns, `conf` the settings, `errors`
the messages. `setup/` adds the lines that a project lacks, `checks/` warn about unsafe settings,
`operations/` test the machine, `admin/` is for staff, and `bulk/` enrols and recognises many people
at once. `profiles/`, `pgvector/`, `allauth/` and `evaluation/` are optional apps, and `otp/` is for
sites with a token after the password.
docs/architecture.md shows all this in more detail.
"""
