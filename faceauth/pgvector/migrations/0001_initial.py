import django.db.models.deletion
import pgvector.django
from django.conf import settings
from django.db import migrations, models


class Extension(pgvector.django.VectorExtension):
    """It stays when the table goes: others may use it as well."""

    def database_backwards(self, app_label, schema_editor, from_state, to_state):
        pass


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        Extension(),
        migrations.CreateModel(
            name='FaceVector',
            fields=[
                ('user', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='+', serialize=False, to=settings.AUTH_USER_MODEL, verbose_name='user')),
                ('vector', pgvector.django.VectorField(editable=False)),
                ('margin', models.FloatField(editable=False)),
                ('shots', models.PositiveIntegerField(editable=False)),
                ('flagged', models.BooleanField(editable=False)),
                ('made_of', models.DateTimeField(editable=False)),
                ('space', models.CharField(editable=False, max_length=16)),
            ],
            options={
                'verbose_name': 'face vector',
                'verbose_name_plural': 'face vectors',
                'default_permissions': (),
            },
        ),
    ]
