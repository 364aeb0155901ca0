"""Log in to a Django site by face.

A login goes through this package as follows:

1. `views` shows the camera; `liveness/` draws the challenge, and `capture/` guides the user.
2. `http/` limits the request and reads the pictures from a form or from JSON.
3. `forms` asks `devices/` who is claimed and `lockout/` if they may try, and spends the challenge.
4. `capture/` analyses the pictures with `vision/`, and refuses those that can't be used.
5. `backends` lets `liveness/` judge the movement, and encodes the probe.
6. `lockout/` records a failure, `gallery/` finds the nearest people, and `encryption/` decrypts
   their templates.
7. `recognition/` measures the distances and decides; a success clears the failure.
8. `views` starts the session; `logins` notes it in `step_up/` and records it in `audit/`.

Around this, `enrolment/` puts faces into accounts and removes them. `encryption/` encrypts and
decrypts the templates. When a face changes, `audit/` records it and emails the user. `privacy/`
exports and erases the data. `models` and `faces` hold the columns, `conf` the settings, `errors`
the messages. `checks/` warn about unsafe settings, `operations/` test the machine, `admin/` is for
staff, and `bulk/` enrols and recognises many people at once. `profiles/`, `pgvector/`, `allauth/`
and `evaluation/` are optional apps. docs/architecture.md shows all this in more detail.
"""
