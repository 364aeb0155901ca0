from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('faceauth', '0005_event_indexes'),
    ]

    operations = [
        migrations.AlterField(
            model_name='faceevent',
            name='kind',
            field=models.CharField(choices=[('enrolled', 'enrolled'), ('replaced', 'replaced'), ('removed', 'removed'), ('login', 'logged in'), ('refused', 'refused'), ('locked', 'made to wait'), ('disabled', 'disabled'), ('enabled', 'enabled'), ('checked', 'checked for the staff'), ('confirmed', 'confirmed by face')], max_length=16, verbose_name='what happened'),
        ),
    ]
