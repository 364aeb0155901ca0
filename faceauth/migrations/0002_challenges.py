from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('faceauth', '0001_attempts_and_events'),
    ]

    operations = [
        migrations.CreateModel(
            name='UsedItem',
            fields=[
                ('key', models.CharField(max_length=80, primary_key=True, serialize=False)),
                ('forget_at', models.DateTimeField(db_index=True)),
            ],
        ),
    ]
